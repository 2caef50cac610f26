/** Whole numbers with their thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 })
}

/** Three figures that count, thousands apart; no exponent from 0.001 to a million. */
export function figures(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 0.001 || size >= 1e6) return value.toExponential(1)
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(size)))
  return value.toLocaleString('en-US', {
    minimumFractionDigits: Math.min(3, decimals),
    maximumFractionDigits: Math.min(3, decimals),
  })
}

/** A share of one as whole per cent. */
export function percent(share: number): string {
  return Number.isFinite(share)
    ? `${share >= 0.0995 || share === 0 ? Math.round(share * 100) : (share * 100).toFixed(1)} %`
    : '–'
}

/** 3.2e-7: what a difference is read as. */
export function tiny(value: number): string {
  return value === 0 ? '0' : Number.isNaN(value) ? 'NaN' : value.toExponential(1)
}
