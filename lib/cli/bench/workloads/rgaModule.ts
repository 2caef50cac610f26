import { halfWeights, halfWork, map, relationWorkloads } from './shared/relation.ts'

const positions = map.H * map.W

export const workloads = relationWorkloads(
  random => ({
    ...halfWeights(random, 'spatial', positions, map.C),
    ...halfWeights(random, 'channel', map.C, positions),
  }),
  halfWork(positions, map.C) + halfWork(map.C, positions),
)
