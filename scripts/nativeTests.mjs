// Builds and runs the engine's native tests, which need no Node: `node scripts/nativeTests.mjs [KIND]
// [NAME]` runs those whose name contains NAME; the golden cases are among them, replayed. KIND `asan` runs
// them under AddressSanitizer and UBSan, `arm64` crosses over to AArch64 and runs them under emulation,
// installing Debian's cross compiler and qemu where they are missing. Needs `npm run build`.
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const crossCompiler = 'aarch64-linux-gnu-g++'
const emulator = 'qemu-aarch64'
const kinds = {
  native: { options: ['-DCMAKE_BUILD_TYPE=RelWithDebInfo'] },
  asan: {
    // One level below: the optimiser needs minutes for what the sanitizers make of a kernel.
    options: ['-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS_DEBUG=-O1 -g1'].concat(
      '-DFOVEA_SANITIZE=address,undefined',
    ),
  },
  arm64: {
    options: [
      ...['-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_SYSTEM_NAME=Linux'],
      ...['-DCMAKE_SYSTEM_PROCESSOR=aarch64', `-DCMAKE_CXX_COMPILER=${crossCompiler}`],
    ],
    runner: [emulator, '-L', '/usr/aarch64-linux-gnu'],
  },
}

const run = (command, args, env = {}) =>
  execFileSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
const exists = command => spawnSync(command, ['--version']).status === 0

function installCrossTools() {
  if (exists(crossCompiler) && exists(emulator)) return
  const apt = (...args) => {
    const [command, ...words] = process.getuid() === 0 ? ['apt-get'] : ['sudo', 'apt-get']
    run(command, [...words, ...args])
  }
  apt('update', '-qq')
  apt('install', '-y', '-qq', '--no-install-recommends', 'g++-aarch64-linux-gnu', 'qemu-user')
}

const [first, ...rest] = process.argv.slice(2)
const kind = first in kinds ? first : 'native'
const wanted = first === kind ? rest : process.argv.slice(2)
const { options, runner = [] } = kinds[kind]
const folder = join('.cmake', kind)
const calls = join('.cmake', 'recordedCalls')

try {
  if (kind === 'arm64') installCrossTools()
  run('cmake', [
    ...['-S', '.', '-B', folder, '-DFOVEA_NATIVE_TESTS=ON', '--log-level=WARNING'],
    ...options,
  ])
  run('cmake', ['--build', folder, '--target', 'nativeTests', '--parallel', '2'])
  run(process.execPath, ['scripts/recordCalls.mjs', calls])
  const [command, ...args] = [...runner, join(folder, 'nativeTests'), ...wanted]
  run(command, args, { FOVEA_CALLS: calls })
} catch (error) {
  // What failed has said so itself.
  process.exitCode = error.status ?? 1
}
