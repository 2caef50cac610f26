import { count } from '../../numbers.ts'
import type { Scale, Spot } from '../../photo/grid.ts'
import type { Photo } from '../../photo/photo.ts'

/** What a map shows, in words and numbers: how wide the attention is spread, and which other spot gets most. */
export function tellAttention(
  photo: Photo,
  grid: Scale,
  weights: ArrayLike<number>,
  from: Spot,
): string {
  const total = Array.from(weights).reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return 'It attends to nothing.'
  let held = 0
  let patches = 0
  for (const weight of Array.from(weights).sort((a, b) => b - a)) {
    held += weight
    patches++
    if (held >= total / 2) break
  }
  const half =
    patches === 1 ? 'One patch holds' : `${count(patches)} of ${count(grid.count)} patches hold`
  const answer = photo.spots
    .filter(spot => spot !== from)
    .map(spot => ({ spot, times: (strongestNear(grid, weights, spot) / total) * grid.count }))
    .reduce((best, each) => (each.times > best.times ? each : best))
  const answered =
    answer.times >= 2
      ? ` Of the other places, ${answer.spot.name} answers most: ${count(Math.round(answer.times))} times an even share.`
      : ''
  return `${half} half of the attention.${answered}`
}

/** Within 24 px of a place: a spot need not lie in the middle of its patch. */
function strongestNear(grid: Scale, weights: ArrayLike<number>, { x, y }: Spot): number {
  let most = 0
  for (let token = 0; token < grid.count; token++) {
    const dx = ((token % grid.columns) + 0.5) * grid.patch - x
    const dy = (Math.floor(token / grid.columns) + 0.5) * grid.patch - y
    if (Math.abs(dx) <= 24 && Math.abs(dy) <= 24) most = Math.max(most, weights[token]!)
  }
  return most
}
