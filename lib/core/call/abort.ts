/** What each signal ends when it aborts. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls `end` when `signal` aborts; the returned function takes that back. However many calls share a
 * signal, it has one listener of ours: it walks its whole list at every change, and warns at the eleventh.
 */
export function onAbort(signal: AbortSignal, end: () => void): () => void {
  let ends = waiting.get(signal)
  if (ends === undefined) {
    ends = new Set()
    waiting.set(signal, ends)
    signal.addEventListener('abort', abortAll)
  }
  const all = ends.add(end)
  return () => {
    all.delete(end)
    if (all.size > 0) return
    waiting.delete(signal)
    signal.removeEventListener('abort', abortAll)
  }
}

function abortAll(this: AbortSignal): void {
  for (const end of waiting.get(this) ?? []) end()
}
