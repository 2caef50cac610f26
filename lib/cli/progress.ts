import cliProgress from 'cli-progress'

export interface Progress {
  /** One more is done; `what` comes next. */
  step(what?: string): void
  stop(): void
}

/** A bar on a terminal's stderr; nothing where stderr goes elsewhere. */
export function startProgress(total: number, what = ''): Progress {
  if (!process.stderr.isTTY) return { step() {}, stop() {} }
  const bar = new cliProgress.SingleBar({
    format: '{bar} {value}/{total} {what}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    clearOnComplete: true,
    linewrap: true, // an end in the middle leaves the terminal as it was
    stream: process.stderr,
  })
  bar.start(total, 0, { what })
  return {
    step: next => bar.increment(1, { what: next ?? '' }),
    stop: () => bar.stop(),
  }
}
