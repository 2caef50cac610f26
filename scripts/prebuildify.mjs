// Writes prebuilds/<platform>-<arch>/ for the machine it runs on. node-gyp wants a folder of headers
// before it runs any target; ours compiles nothing, so an empty one spares the download. prebuildify
// does not pass --nodedir on, hence the environment.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const nodedir = mkdtempSync(join(tmpdir(), 'fovea-nodedir-'))
try {
  mkdirSync(join(nodedir, 'include/node'), { recursive: true })
  writeFileSync(join(nodedir, 'include/node/common.gypi'), '{}')
  execFileSync('prebuildify', ['--napi', '--strip', '--tag-libc', '--name', 'fovea'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, npm_config_nodedir: nodedir },
  })
} finally {
  rmSync(nodedir, { recursive: true, force: true })
}
