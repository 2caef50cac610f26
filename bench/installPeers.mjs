// Installs the libraries that bench/peers compares with, beside the benchmark and outside the package:
// onnxruntime-node in bench/node_modules, those of Python in bench/.venv.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

function run(command, args, env = {}) {
  execFileSync(command, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    cwd: here,
    env: { ...process.env, ...env },
  })
}

// Its own install script would fetch CUDA libraries; the CPU provider is in the package.
run('npm', ['install', '--prefix', here, '--no-save', 'onnxruntime-node@^1.30.0'], {
  ONNXRUNTIME_NODE_INSTALL: 'skip',
})
if (!existsSync(`${here}/.venv`)) run('python3', ['-m', 'venv', '.venv'])
run('.venv/bin/pip', ['install', '-r', 'peers/python/requirements.txt'])
