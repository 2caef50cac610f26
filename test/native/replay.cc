// Replays calls that scripts/recordCalls.mjs has recorded from the golden cases: the same numbers
// read as calls are behind Node, on memory that is watched. FOVEA_CALLS names the file.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "core/registry.h"
#include "core/storedCall.h"
#include "guarded.h"

namespace fovea::test {
namespace {

struct Recorded {
  bool output = false;
  ElementType type = ElementType::kOther;
  int64_t count = 0;
  double rtol = 0, atol = 0;
  std::vector<uint8_t> bytes;  // what goes in, or what is expected to come out

  int64_t elementBytes() const {
    return type == ElementType::kUint8 ? 1 : type == ElementType::kUint16 ? 2 : 4;
  }
};

struct Record {
  std::string op, name;
  std::vector<double> meta;
  std::vector<Recorded> arrays;
};

ElementType elementType(const std::string& name) {
  if (name == "float32") return ElementType::kFloat32;
  if (name == "uint16") return ElementType::kUint16;
  if (name == "uint8") return ElementType::kUint8;
  CHECK(name == "int32");
  return ElementType::kInt32;
}

void readPadded(std::istream& file, void* to, size_t bytes) {
  file.read(static_cast<char*>(to), std::streamsize(bytes));
  file.ignore(std::streamsize(-bytes & 7));
  CHECK(file.good());
}

bool readRecord(std::istream& file, Record& record) {
  record = {};
  std::string line;
  size_t header = 0, metaCount = 0;
  while (std::getline(file, line)) {
    header += line.size() + 1;
    if (line.empty()) break;
    std::istringstream words(line);
    std::string kind, type;
    words >> kind;
    if (kind == "call") {
      words >> record.op >> record.name;
    } else if (kind == "meta") {
      words >> metaCount;
    } else {
      Recorded array;
      words >> type >> array.count;
      array.type = elementType(type);
      array.output = kind == "output";
      if (array.output) words >> array.rtol >> array.atol;
      record.arrays.push_back(array);
    }
    CHECK(!words.fail());
  }
  if (record.op.empty()) return false;
  file.ignore(std::streamsize(-header & 7));
  record.meta.resize(metaCount);
  readPadded(file, record.meta.data(), metaCount * sizeof(double));
  for (Recorded& array : record.arrays) {
    array.bytes.resize(size_t(array.count * array.elementBytes()));
    readPadded(file, array.bytes.data(), array.bytes.size());
  }
  return true;
}

// Every array of a record on memory of its own, outputs filled with what is surely wrong.
class Memory {
 public:
  explicit Memory(const Record& record) {
    for (const Recorded& array : record.arrays) {
      const int64_t bytes = int64_t(array.bytes.size());
      // In units of the element, so that it is aligned to it.
      if (array.elementBytes() == 1) {
        add(array, std::make_shared<Guarded<uint8_t>>(bytes, Place::kBeforePage));
      } else if (array.elementBytes() == 2) {
        add(array, std::make_shared<Guarded<uint16_t>>(bytes / 2, Place::kBeforePage));
      } else {
        add(array, std::make_shared<Guarded<float>>(bytes / 4, Place::kBeforePage));
      }
    }
  }
  std::vector<Array> arrays;

 private:
  template <class T>
  void add(const Recorded& array, std::shared_ptr<Guarded<T>> memory) {
    if (array.output) {
      std::memset(memory->data(), 0xff, array.bytes.size());
    } else {
      std::memcpy(memory->data(), array.bytes.data(), array.bytes.size());
    }
    arrays.push_back({memory->data(), array.count, array.type});
    owners_.push_back(memory);
  }
  std::vector<std::shared_ptr<void>> owners_;
};

void compare(const Recorded& expected, const Array& got) {
  if (expected.type == ElementType::kInt32) {
    CHECK(std::memcmp(expected.bytes.data(), got.data, expected.bytes.size()) == 0);
    return;
  }
  for (int64_t i = 0; i < expected.count; ++i) {
    float want, value = static_cast<const float*>(got.data)[i];
    std::memcpy(&want, expected.bytes.data() + i * 4, 4);
    const bool same = value == want || (std::isnan(value) && std::isnan(want));
    const double error = std::fabs(double(value) - double(want));
    CHECK_OR(
        same || error <= expected.atol + expected.rtol * std::fabs(double(want)),
        std::to_string(value) + " instead of " + std::to_string(want) + " at " + std::to_string(i));
  }
}

void replay(const Record& record, const Op& op) {
  Control control;
  const auto read = [&](StoredCall& stored, Memory& memory) {
    const ReadResult result = stored.read(record.meta, memory.arrays);
    CHECK(result.failure == Failure::kNone);
    stored.call.op = &op;
    stored.call.control = &control;
  };
  StoredCall plain;
  Memory memory(record);
  read(plain, memory);
  op.run(plain.call);
  for (size_t i = 0; i < record.arrays.size(); ++i) {
    if (record.arrays[i].output) compare(record.arrays[i], memory.arrays[i]);
  }

  // Prepared weights give the same bits.
  const int64_t floats = op.packedFloats ? op.packedFloats(plain.call) : 0;
  if (floats == 0) return;
  Guarded<float> packed(floats, Place::kBeforePage);
  op.pack(plain.call, packed.data());
  StoredCall prepared;
  Memory again(record);
  read(prepared, again);
  prepared.call.packed = packed.data();
  prepared.call.packedFloats = floats;
  op.run(prepared.call);
  for (size_t i = 0; i < record.arrays.size(); ++i) {
    if (!record.arrays[i].output) continue;
    CHECK(std::memcmp(memory.arrays[i].data, again.arrays[i].data, record.arrays[i].bytes.size()) ==
          0);
  }
}

}  // namespace

TEST(recordedCalls) {
  const char* path = std::getenv("FOVEA_CALLS");
  if (path == nullptr) {
    std::printf("  skipped: FOVEA_CALLS names no file\n");
    return;
  }
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good());
  Record record;
  int count = 0;
  while (file.peek() != EOF && readRecord(file, record)) {
    const Op* op = nullptr;
    for (const Op& registered : registry()) {
      if (record.op == registered.name) op = &registered;
    }
    CHECK_OR(op != nullptr, "no operation is called " + record.op);
    onEveryIsa([&] {
      context() = record.name + ", " + context();
      replay(record, *op);
    });
    ++count;
  }
  CHECK(count > 0);
  std::printf("  %d calls\n", count);
}

}  // namespace fovea::test
