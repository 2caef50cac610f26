import { existsSync, readdirSync } from 'node:fs'
import type { Contender } from './bestTimes.ts'
import type { Inputs } from './workload.ts'

/** A call of a peer, ready to be timed. */
export interface PeerCall extends Contender {
  /** What it computes, in the layout of fovea's `out`. */
  output(): Promise<Float32Array>
}

/** Another library that does the same. */
export interface Peer {
  readonly name: string
  readonly version: string
  /** Undefined where the peer has no such call. */
  prepare(op: string, inputs: Inputs, threads: number): Promise<PeerCall | undefined>
  close(): void
}

/** What each file of bench/peers exports: the peers whose libraries are installed. */
export interface PeerModule {
  open(): Promise<readonly Peer[]>
}

const folder = new URL('../../../bench/peers/', import.meta.url)

/** The peers whose libraries are present. */
export async function findPeers(): Promise<Peer[]> {
  const files = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.mjs')) : []
  const opened = await Promise.all(
    files.toSorted().map(async name => {
      const { open } = (await import(new URL(name, folder).href)) as PeerModule
      return await open()
    }),
  )
  return opened.flat()
}
