const controller = new AbortController()

/** Aborted by Ctrl-C: whatever takes long heeds it. */
export const interrupted: AbortSignal = controller.signal

/** Lets the progress bar be drawn and Ctrl-C be heard: what computes holds the thread. */
export async function pause(): Promise<void> {
  await new Promise(setImmediate)
  interrupted.throwIfAborted()
}

/** How long a command has to end by itself. */
const graceMilliseconds = 2000

/** Listens for Ctrl-C; `giveUp` is called when the command has not ended, or at a second one. */
export function onInterrupt(giveUp: () => void): void {
  process.on('SIGINT', () => {
    if (interrupted.aborted) giveUp()
    controller.abort(new Error('interrupted'))
    setTimeout(giveUp, graceMilliseconds).unref()
  })
}
