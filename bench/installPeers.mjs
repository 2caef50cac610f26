// Installs the libraries that bench/peers compares with, beside the benchmark and outside the package.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
execFileSync('npm', ['install', '--prefix', here, '--no-save', 'onnxruntime-node@^1.30.0'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  // Its own install script would fetch CUDA libraries; the CPU provider is in the package.
  env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
})
