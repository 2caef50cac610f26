/** Seconds from a fixed moment. */
export type Clock = () => number

/** Time that the process spent computing: what the machine's other users do does not count. */
const cpuClock: Clock = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const wallClock: Clock = () => performance.now() / 1e3

/** Threads that run side by side spend CPU time side by side, so theirs is wall time. */
export function clockFor(threads: number): Clock {
  return threads === 1 ? cpuClock : wallClock
}
