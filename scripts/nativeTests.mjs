// Builds and runs the engine's native tests, which need no Node: `node scripts/nativeTests.mjs [asan]
// [name]` runs those whose name contains `name`, with "asan" under AddressSanitizer and UBSan.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const [first, ...rest] = process.argv.slice(2)
const sanitized = first === 'asan'
const wanted = sanitized ? rest : process.argv.slice(2)
const folder = join('.cmake', sanitized ? 'asan' : 'native')
const run = (command, args) => execFileSync(command, args, { stdio: 'inherit' })

try {
  run('cmake', [
    ...['-S', '.', '-B', folder, '-DFOVEA_NATIVE_TESTS=ON', '--log-level=WARNING'],
    ...['-DCMAKE_BUILD_TYPE=RelWithDebInfo'],
    ...(sanitized ? ['-DFOVEA_SANITIZE=address,undefined'] : []),
  ])
  run('cmake', ['--build', folder, '--target', 'nativeTests', '--parallel', '2'])
  run(join(folder, 'nativeTests'), wanted)
} catch (error) {
  // What failed has said so itself.
  process.exitCode = error.status ?? 1
}
