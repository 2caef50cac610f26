import { halfWeights, halfWork, map, relationWorkloads } from './shared/relation.ts'

const positions = map.H * map.W

export const workloads = relationWorkloads(
  random => halfWeights(random, 'channel', map.C, positions),
  halfWork(map.C, positions),
)
