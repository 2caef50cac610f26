#include "core/threads.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif

namespace fovea {

namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

bool listed(const std::string& list, const std::string& name) {
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == name) return true;
  }
  return false;
}

// v2: "max 100000" or "150000 100000" (quota and period in microseconds).
double readV2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// v1: two files; a quota of -1 is none.
double readV1(const std::string& directory) {
  std::ifstream quotaFile(directory + "/cpu.cfs_quota_us");
  std::ifstream periodFile(directory + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quotaFile >> quota && periodFile >> period && quota > 0 && period > 0 ? quota / period
                                                                               : kNoLimit;
}

// A group is bound by every group above it, as far as the mount shows them.
double tightest(const std::string& mount, std::string group, double (*read)(const std::string&)) {
  double cpus = read(mount);
  while (group.size() > 1) {
    cpus = std::min(cpus, read(mount + group));
    group.resize(group.rfind('/'));
  }
  return cpus;
}

// The process's path in the hierarchy that holds the cpu controller; v2's line is "0::/path".
std::string groupOf(const std::string& root, bool v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? controllers.empty() : listed(controllers, "cpu")) return line.substr(second + 1);
  }
  return "/";
}

// Address space that a thread may take beside its stack: a heap of glibc's reserves as much.
constexpr size_t kRoomOfThread = size_t{64} << 20;

bool hasRoom(size_t bytes) {
#if defined(__linux__)
  void* room = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return room != MAP_FAILED && munmap(room, bytes) == 0;
#else
  return bytes > 0;
#endif
}

// How many threads, the calling one included, were alive at the same time: `count` only where they
// left room for what they will take.
int startTogether(int count) {
  std::mutex gate;
  std::vector<std::thread> threads;
  bool enough = false;
  {
    const std::lock_guard closed(gate);
    try {
      threads.reserve(static_cast<size_t>(count));
      while (static_cast<int>(threads.size()) < count - 1) {
        threads.emplace_back([&gate] { const std::lock_guard wait(gate); });
      }
      enough = hasRoom(static_cast<size_t>(count) * kRoomOfThread);
    } catch (const std::exception&) {
    }
  }
  for (std::thread& thread : threads) thread.join();
  return enough ? count : std::min(static_cast<int>(threads.size()) + 1, count - 1);
}

}  // namespace

double cpuQuota(const char* root) {
  const std::string prefix = root;
  double cpus = kNoLimit;
  std::ifstream mounts(prefix + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // 36 35 98:0 /mount-root /mount-point options [fields] - type source super-options
    std::istringstream before(line);
    std::string id, parent, device, mountRoot, mountPoint;
    if (!(before >> id >> parent >> device >> mountRoot >> mountPoint)) continue;
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream after(line.substr(dash + 3));
    std::string type, source, options;
    if (!(after >> type >> source >> options)) continue;
    const bool v2 = type == "cgroup2";
    if (!v2 && !(type == "cgroup" && listed(options, "cpu"))) continue;
    // Without a namespace of its own, a container's mount shows only what lies below its own group.
    std::string group = groupOf(prefix, v2);
    if (mountRoot != "/") {
      group = group.compare(0, mountRoot.size(), mountRoot) == 0 ? group.substr(mountRoot.size())
                                                                 : std::string();
    }
    if (!group.empty() && (group.front() != '/' || group.find("/..") == 0)) group.clear();
    cpus = std::min(cpus, tightest(prefix + mountPoint, group, v2 ? readV2 : readV1));
  }
  return cpus;
}

int affinityCount() {
#if defined(__linux__)
  // The kernel refuses a set smaller than its own; 1024 CPUs is only where glibc's fixed one ends.
  for (size_t cpus = 1024; cpus <= size_t{1} << 16; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (!set) break;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int maxThreads() {
  static const int most = std::max(256, affinityCount());
  return most;
}

int startableThreads(int wanted) {
  static std::mutex mutex;
  static int proven = 1, refused = maxThreads() + 1;
  const std::lock_guard lock(mutex);
  if (wanted <= proven) return wanted;
  if (wanted >= refused) return proven;
  for (int count = wanted; count > proven;) {
    const int started = startTogether(count);
    if (started == count) {
      proven = count;
    } else {
      refused = wanted;
      // Others in this process and around it will want a few of the rest.
      count = started / 2;
    }
  }
  return std::min(wanted, proven);
}

const ThreadCount& machineThreads() {
  static const ThreadCount count = [] {
    const int allowed = affinityCount();
    const double quota = cpuQuota();
    if (quota >= allowed) return ThreadCount{allowed, "affinity"};
    return ThreadCount{std::max(1, static_cast<int>(quota)), "cgroup quota"};
  }();
  return count;
}

}  // namespace fovea
