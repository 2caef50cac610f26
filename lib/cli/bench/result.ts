import type { NativeInfo } from '../../core/addon.ts'
import type { Peak } from './peak.ts'
import type { RowTime } from './row.ts'
import type { Limit } from './workload.ts'

/** A row as it is reported: rates in GFLOP/s under `fma`, in GB/s under `read` and `copy`. */
export interface Row extends RowTime {
  readonly op: string
  readonly name: string
  readonly threads: number
  readonly limit: Limit
  readonly work: number
  readonly rate: number
  readonly peak: number
  readonly share: number
  /** What the row is built to reach: a share, a ratio, a time. Null where it has no such goal. */
  readonly goal: number | null
  readonly against: string | null
  readonly atMost: number | null
  readonly withinMicroseconds: number | null
}

/** What `fovea bench --json` prints and `fovea bench compare` reads. */
export interface BenchResult {
  readonly machine: NativeInfo & { readonly cpu: string; readonly node: string }
  readonly peaks: readonly Peak[]
  readonly rows: readonly Row[]
}
