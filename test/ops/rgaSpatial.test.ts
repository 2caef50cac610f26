import { rgaSpatial as reference } from '../reference/rgaSpatial.ts'
import { describeRelationHalf } from './shared/describeRelationHalf.ts'

describeRelationHalf({
  half: 'spatial',
  reference,
  cases: {
    plain: {},
    'the least of everything': { C: 2, size: [1, 3], ratios: [2, 2, 2] },
    'one position in a row': { size: [7, 1] },
    'more embedded channels than a panel': { B: 1, C: 70, size: [3, 4], ratios: [1, 1, 3] },
  },
  sizes: n => ({ B: 1, C: 5, size: [2, n + 1] }),
  large: {
    wide: { B: 2, C: 64, size: [13, 9], ratios: [8, 8, 3] },
    'one entry': { B: 1, C: 48, size: [11, 13], ratios: [4, 4, 2] },
    many: { B: 5, C: 32, size: [8, 8], ratios: [8, 8, 2] },
  },
  backwards: (data, channels, positions) =>
    Float32Array.from(data, (_, n) => {
      const channel = Math.floor(n / positions)
      return data[(channels - 1 - channel) * positions + (n % positions)]!
    }),
})
