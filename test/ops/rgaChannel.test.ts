import { rgaChannel as reference } from '../reference/rgaChannel.ts'
import { describeRelationHalf } from './shared/describeRelationHalf.ts'

describeRelationHalf({
  half: 'channel',
  reference,
  cases: {
    plain: {},
    'the least of everything': { C: 3, size: [1, 2], ratios: [2, 2, 2] },
    'one position in a row': { size: [7, 1] },
    'more embedded channels than a panel': { B: 1, C: 9, size: [6, 11], ratios: [1, 1, 3] },
  },
  sizes: n => ({ B: 1, C: n + 1, size: [2, 4] }),
  large: {
    wide: { B: 2, C: 64, size: [13, 9], ratios: [8, 8, 3] },
    'one entry': { B: 1, C: 150, size: [8, 6], ratios: [4, 4, 2] },
    many: { B: 5, C: 32, size: [8, 8], ratios: [8, 8, 2] },
  },
  backwards: (data, channels, positions) =>
    Float32Array.from(data, (_, n) => {
      const channel = Math.floor(n / positions) % channels
      return data[channel * positions + positions - 1 - (n % positions)]!
    }),
})
