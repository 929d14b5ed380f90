// Runs files through one fuzz target, without libFuzzer: fuzz_NAME_replay [--mutations N]
// FILE_OR_DIRECTORY... Each file runs as it is, then N times changed a little; the changes follow from the
// file's bytes alone, so that a run can be repeated. What stops the program (a failed CHECK, a sanitizer) is
// answered with the input's name, and the input itself is left in ./fuzz-failed-input.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// NOLINTNEXTLINE(bugprone-reserved-identifier) the sanitizers' name
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using Input = std::vector<std::uint8_t>;

std::string current_name;
Input current_input;

void report() {
  std::fprintf(stderr, "fuzz input: %s (kept in ./fuzz-failed-input)\n", current_name.c_str());
  if (std::FILE* file = std::fopen("fuzz-failed-input", "wb")) {
    std::fwrite(current_input.data(), 1, current_input.size(), file);
    std::fclose(file);
  }
}

void on_signal(int number) {
  report();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

void run(std::string name, Input input) {
  current_name = std::move(name);
  current_input = std::move(input);
  // A copy of its own size, so that a read past the end is seen by the sanitizer.
  Input exact(current_input);
  exact.shrink_to_fit();
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void mutate(milena::Random& random, Input& input) {
  static constexpr std::uint8_t kEdges[] = {0, 1, 0x7f, 0x80, 0xff};
  if (input.empty()) return input.push_back(static_cast<std::uint8_t>(random.next()));
  std::size_t at = random.below(input.size());
  switch (random.below(6)) {
    case 0:
      input[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
      break;
    case 1:
      input[at] = kEdges[random.below(std::size(kEdges))];
      break;
    case 2:
      input.resize(at);
      break;
    case 3:
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), kEdges[random.below(std::size(kEdges))]);
      break;
    case 4:
      input.erase(input.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    default: {  // four bytes of an edge value: lengths and counts
      std::size_t count = std::min<std::size_t>(4, input.size() - at);
      std::memset(input.data() + at, kEdges[random.below(std::size(kEdges))], count);
    }
  }
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!std::filesystem::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  int mutations = 0;
  if (paths.size() >= 2 && paths[0] == "--mutations") {
    mutations = std::atoi(paths[1].c_str());
    paths.erase(paths.begin(), paths.begin() + 2);
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(report);
  std::signal(SIGABRT, on_signal);

  std::vector<std::string> files = files_of(paths);
  long runs = 0;
  for (const std::string& path : files) {
    std::ifstream stream(path, std::ios::binary);
    Input input((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    if (!stream) {
      std::fprintf(stderr, "cannot read %s\n", path.c_str());
      return 1;
    }
    run(path, input);
    milena::Random random(milena::crc32c(milena::ByteView(input)));
    for (int i = 1; i <= mutations; ++i) {
      Input changed = input;
      for (std::uint64_t n = 1 + random.below(3); n > 0; --n) mutate(random, changed);
      run(path + ", change " + std::to_string(i), std::move(changed));
      ++runs;
    }
    ++runs;
  }
  std::printf("%zu files, %ld runs\n", files.size(), runs);
  return files.empty() ? 1 : 0;  // nothing run is nothing shown
}
