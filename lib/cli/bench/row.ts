import { errorRatio } from '../tolerance.ts'
import { bestTimes, type Contender, type Pause } from './bestTimes.ts'
import { argumentsOf, type NamedOperation, type Outputs, weightsOf } from './calls.ts'
import { clockFor } from './clock.ts'
import type { Peer } from './peers.ts'
import { random } from './random.ts'
import type { Inputs, Workload } from './workload.ts'

/** How a peer did; the reason where it was not timed. */
export interface PeerTime {
  readonly peer: string
  readonly version: string
  readonly milliseconds: number | null
  readonly reason?: string
}

export interface RowTime {
  /** Of one call. */
  readonly milliseconds: number
  /** Over the time of the row that this one is compared with, which took turns with it. */
  readonly ratio: number | null
  readonly peers: readonly PeerTime[]
}

interface Call {
  /** Contiguous, for comparison with peers. */
  readonly first: Outputs
  readonly contender: Contender
}

/** A call with everything ready: inputs made, weights prepared, memory for outputs at hand. */
function readyCall({ definition, call }: NamedOperation, inputs: Inputs, threads: number): Call {
  const weights = weightsOf(definition, inputs)
  const first = call(...argumentsOf(definition, inputs, weights, { threads }))
  const { into = { ...first } } = inputs
  const memory = into === 'fresh' ? {} : { into }
  const args = argumentsOf(definition, inputs, weights, { ...memory, threads })
  return {
    first,
    contender: {
      run(times) {
        for (let i = 0; i < times; i++) call(...args)
      },
    },
  }
}

/** Peers compute in their own order: far looser than fovea's own tolerance, far tighter than a bug. */
const agreement = { rtol: 1e-3, atol: 1e-4 }

function agree(ours: Outputs, theirs: Float32Array): boolean {
  const { data } = Object.values(ours)[0]!
  return (
    data.length === theirs.length &&
    data.every((value, i) => errorRatio(theirs[i]!, value, agreement) <= 1)
  )
}

interface Rival {
  readonly peer: Peer
  /** Absent where it is not to be timed, for a reason. */
  readonly contender?: Contender
  readonly reason?: string
}

async function prepareRival(
  peer: Peer,
  op: string,
  inputs: Inputs,
  threads: number,
  ours: Outputs,
): Promise<Rival | undefined> {
  try {
    const call = await peer.prepare(op, inputs, threads)
    if (call === undefined) return undefined
    if (!agree(ours, await call.output())) return { peer, reason: 'its output differs' }
    return { peer, contender: call }
  } catch (error) {
    return { peer, reason: (error as Error).message }
  }
}

/**
 * Times one row. The row that it is compared with and the peers that have the same call (their output
 * checked first) take turns with it.
 */
export async function timeRow(
  operation: NamedOperation,
  workload: Workload,
  base: Workload | undefined,
  threads: number,
  peers: readonly Peer[],
  pause: Pause,
): Promise<RowTime> {
  const inputs = workload.make(random(1))
  const count = workload.threads ?? threads
  const ours = readyCall(operation, inputs, count)
  const rivals: Rival[] = []
  for (const peer of workload.withoutPeers ? [] : peers) {
    const rival = await prepareRival(peer, operation.definition.name, inputs, count, ours.first)
    if (rival !== undefined) rivals.push(rival)
  }
  const contenders = new Map<unknown, Contender>([[workload, ours.contender]])
  if (base !== undefined) {
    const other = readyCall(operation, base.make(random(1)), base.threads ?? threads)
    contenders.set(base, other.contender)
  }
  for (const { peer, contender } of rivals) if (contender) contenders.set(peer, contender)
  const seconds = await bestTimes([...contenders.values()], clockFor(count), pause)
  const times = new Map([...contenders.keys()].map((key, i) => [key, seconds[i]! * 1e3]))
  const milliseconds = times.get(workload)!
  return {
    milliseconds,
    ratio: base === undefined ? null : milliseconds / times.get(base)!,
    peers: rivals.map(({ peer, reason }) => ({
      peer: peer.name,
      version: peer.version,
      milliseconds: times.get(peer) ?? null,
      ...(reason === undefined ? {} : { reason }),
    })),
  }
}
