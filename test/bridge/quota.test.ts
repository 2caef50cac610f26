// The container's CPU limit, read from trees laid out as the kernel and the container runtimes lay them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { native } from '../../lib/core/addon.ts'

const roots: string[] = []
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

function quotaOf(files: Readonly<Record<string, string>>): number {
  const root = mkdtempSync(join(tmpdir(), 'fovea-cgroup-'))
  roots.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), `${text}\n`)
  }
  return native.cpuQuota(root)
}

const mountV2 = (mountRoot = '/') =>
  `29 22 0:26 ${mountRoot} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate`
const mountV1 = (mountRoot = '/') =>
  `33 25 0:29 ${mountRoot} /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct`

test.each([
  ['150000 100000', 1.5],
  ['25000 100000', 0.25],
  ['200000 50000', 4],
  ['max 100000', Number.POSITIVE_INFINITY],
  ['', Number.POSITIVE_INFINITY],
  ['nonsense', Number.POSITIVE_INFINITY],
  ['0 0', Number.POSITIVE_INFINITY],
])('version 2 in a namespace of its own: cpu.max %j', (max, cpus) => {
  expect(
    quotaOf({
      'proc/self/cgroup': '0::/',
      'proc/self/mountinfo': mountV2(),
      'sys/fs/cgroup/cpu.max': max,
    }),
  ).toBe(cpus)
})

test('version 2: the tightest of the group and the groups above it', () => {
  const files = {
    'proc/self/cgroup': '0::/user.slice/service/leaf',
    'proc/self/mountinfo': mountV2(),
    'sys/fs/cgroup/user.slice/cpu.max': '300000 100000',
    'sys/fs/cgroup/user.slice/service/cpu.max': '200000 100000',
    'sys/fs/cgroup/user.slice/service/leaf/cpu.max': 'max 100000',
  }
  expect(quotaOf(files)).toBe(2)
  expect(quotaOf({ ...files, 'sys/fs/cgroup/user.slice/cpu.max': '50000 100000' })).toBe(0.5)
})

test('version 2 without a namespace: the mount shows only the container', () => {
  expect(
    quotaOf({
      'proc/self/cgroup': '0::/docker/abc/worker',
      'proc/self/mountinfo': mountV2('/docker/abc'),
      'sys/fs/cgroup/cpu.max': '400000 100000',
      'sys/fs/cgroup/worker/cpu.max': '300000 100000',
    }),
  ).toBe(3)
})

test('version 2: a group outside the mount does not lead out of it', () => {
  expect(
    quotaOf({
      'proc/self/cgroup': '0::/../other',
      'proc/self/mountinfo': mountV2(),
      'sys/fs/cgroup/cpu.max': '250000 100000',
      'sys/fs/other/cpu.max': '1000 100000',
    }),
  ).toBe(2.5)
})

test('version 1, where a quota of -1 is none', () => {
  const files = {
    'proc/self/cgroup': '12:cpuset:/elsewhere\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/',
    'proc/self/mountinfo': `${mountV1('/docker/abc')}\n${mountV2()}`,
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '150000',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
  }
  expect(quotaOf(files)).toBe(1.5)
  const unlimited = { ...files, 'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1' }
  expect(quotaOf(unlimited)).toBe(Number.POSITIVE_INFINITY)
})

test('no control groups at all', () => {
  expect(quotaOf({})).toBe(Number.POSITIVE_INFINITY)
})
