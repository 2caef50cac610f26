// What binding.gyp runs: the same build as everybody else's, and beside the addon the OpenMP runtime
// that it finds through its $ORIGIN path. Slim images have none, and libgomp.a cannot be linked into a
// shared object.
import { execFileSync } from 'node:child_process'
import { copyFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

const [productFolder] = process.argv.slice(2)
execFileSync('npm', ['run', '-s', 'build:native'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
if (process.platform === 'linux') {
  const compiler = process.env.CXX ?? 'c++'
  const library = execFileSync(compiler, ['-print-file-name=libgomp.so.1'], { encoding: 'utf8' })
  copyFileSync(realpathSync(library.trim()), join(productFolder, 'libgomp.so.1'))
}
