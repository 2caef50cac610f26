import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { type ErrorDetails, FoveaError } from './errors.ts'

/** What a tensor's elements lie in when they cross the bridge. */
export type NativeArray = Float32Array | Uint16Array | Uint8Array | Int32Array

/** What the engine says about itself. */
export interface NativeInfo {
  version: string
  isa: string
  isas: string[]
  vectorBits: number
  threads: number
  threadsFrom: string
  compiler: string
}

/**
 * The native side. `op` is an index into `ops()`; `meta` describes the call and may be reused as soon
 * as the function has returned; `data` holds the typed arrays of the present slots, in slot order.
 *
 * `meta` = [threads (0: the default), P, T, hasPacked], P parameters, T slots. A slot is
 * [kind, rank, offset, shape..., strides...] with kind 0 absent, 1 + dtype present (float32, float16,
 * bfloat16, uint8, int32), 17 + dtype described only (no array: prepared weights stand in). With
 * hasPacked the last slot is the prepared pack: kind 1, rank 1.
 *
 * Failures are errors with `code` (ERR_FOVEA_MEMORY, _BOUNDS, _DETACHED, _TYPE, _OPTION, _ISA,
 * _QUEUE_FULL, or `ABORTED` for a call that `cancel` ended) and, where one tensor is to blame, `slot`.
 */
export interface Native {
  /** Names of the registered operations. */
  ops(): string[]
  /** Runs an operation and returns when the outputs are written. */
  run(op: number, meta: Float64Array, ...data: NativeArray[]): void
  /**
   * Queues an operation on the compute lane. `id` is the caller's, unique among its pending calls;
   * larger `priority` first. The arrays stay alive until the promise has settled.
   */
  submit(
    op: number,
    meta: Float64Array,
    id: number,
    priority: number,
    ...data: NativeArray[]
  ): Promise<void>
  /** Ends a pending call: its promise rejects with code `ABORTED`. False where it has settled. */
  cancel(id: number): boolean
  /** Tiles done and known so far of a pending call; undefined where it has settled. */
  progress(id: number): { done: number; total: number } | undefined
  /** Rough floating-point operations of the call that `run` would make. */
  flops(op: number, meta: Float64Array, ...data: NativeArray[]): number
  /** Floats that `pack` writes; 0 where the operation prepares nothing. */
  packedFloats(op: number, meta: Float64Array, ...data: NativeArray[]): number
  /** Packs the weights among `data` into `packed`, given behind them. */
  pack(op: number, meta: Float64Array, ...dataThenPacked: NativeArray[]): void
  /** Where an array's first element lies: two SharedArrayBuffers may be the same memory. */
  address(array: NativeArray): number
  /** The environment variables FOVEA_NUM_THREADS, OMP_NUM_THREADS and FOVEA_ISA as this thread sees them. */
  configure(
    numThreads: string | undefined,
    ompNumThreads: string | undefined,
    isa: string | undefined,
  ): void
  getNumThreads(): number
  /** `threads` in 1..maxThreads(), else an error with code ERR_FOVEA_OPTION. */
  setNumThreads(threads: number): void
  maxThreads(): number
  /** Throws ERR_FOVEA_ISA where FOVEA_ISA names none that this machine has. */
  info(): NativeInfo
  /** CPUs' worth of time that the control groups under `root` allow, Infinity for no limit; for tests. */
  cpuQuota(root: string): number
  /** Switches the instruction set of the whole process, for tests; false where it is not supported. */
  selectIsa(name: string): boolean
}

// libgomp spins for about 8 ms behind every parallel region unless it is told otherwise, and reads its
// environment once, when it is loaded. From a Worker this has no effect: its process.env is a copy.
function withShortSpin<T>(load: () => T): T {
  const { env } = process
  if (!isMainThread || env.GOMP_SPINCOUNT !== undefined || env.OMP_WAIT_POLICY !== undefined) {
    return load()
  }
  env.GOMP_SPINCOUNT = '1000'
  try {
    return load()
  } finally {
    delete env.GOMP_SPINCOUNT
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

// A bundler that takes this file along leaves the binary behind.
const isBundled = !/[\\/]core[\\/]addon\.[jt]s$/.test(fileURLToPath(import.meta.url))

// The package ships no install script: who installs from a registry gets a prebuilt binary, who has a
// platform without one builds it by this command.
function remedy(): string {
  if (!/[\\/]node_modules[\\/]/.test(root)) return 'npm run build'
  const nested = relative(process.cwd(), root)
  const folder = nested.startsWith('..') ? root : nested
  return `npm i -D cmake-js@8 node-addon-api@8 && npx cmake-js build -d ${folder} --out ${join(folder, '.cmake')}`
}

const external =
  "esbuild --external:fovea, or serverExternalPackages: ['fovea'] of Next.js, or the like"

function missing(cause: unknown): FoveaError {
  const { platform, arch, versions } = process
  const reason = cause instanceof Error ? cause.message : String(cause)
  const received = reason.trim().replace(/\s+/g, ' ')
  const details: ErrorDetails = {
    code: 'ERR_FOVEA_BINARY',
    operation: 'fovea',
    argument: 'the native binary',
    expected: 'be there and load',
    received,
  }
  const message = [
    `fovea: the native binary must be there and load; got ${received.replace(/\.$/, '')}.`,
    `Looked for, on ${platform} ${arch}, Node ${versions.node}:`,
    `  ${join(root, 'build', 'Release', '*.node')}`,
    `  ${join(root, 'prebuilds', `${platform}-${arch}`, '*.node')}`,
    ...(isBundled
      ? ['It stays where fovea is installed. Keep fovea out of the bundle:', `  ${external}`]
      : ['To build it (CMake and a C++20 compiler with OpenMP are needed):', `  ${remedy()}`]),
  ]
  return new FoveaError(message.join('\n'), details, cause)
}

function load(): Native {
  let loaded: Native
  try {
    const nodeGypBuild = createRequire(import.meta.url)('node-gyp-build') as (dir: string) => Native
    loaded = withShortSpin(() => nodeGypBuild(root))
  } catch (error) {
    throw missing(error)
  }
  const { FOVEA_NUM_THREADS, OMP_NUM_THREADS, FOVEA_ISA } = process.env
  loaded.configure(FOVEA_NUM_THREADS, OMP_NUM_THREADS, FOVEA_ISA)
  return loaded
}

/** The loaded addon. */
export const native: Native = load()

const names = native.ops()

/** An operation's index on the native side. */
export function opIndex(name: string): number {
  const index = names.indexOf(name)
  if (index < 0) throw new Error(`${name} is not among the operations of the binary`)
  return index
}
