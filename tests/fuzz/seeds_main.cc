// fuzz_seeds DIRECTORY: writes well-formed inputs into DIRECTORY/frames, /batches and /files.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "seeds.h"

namespace {

bool write_seeds(const std::filesystem::path& directory, void (*make)(const milena::fuzz::Sink&)) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  std::filesystem::create_directories(directory, error);
  int count = 0;
  bool ok = !error;
  make([&](const std::string& name, std::uint8_t choice, milena::ByteView rest) {
    std::ofstream file(directory / name, std::ios::binary);
    file.put(static_cast<char>(choice));
    file.write(reinterpret_cast<const char*>(rest.data()), static_cast<std::streamsize>(rest.size()));
    file.close();
    ok = ok && !file.fail();
    ++count;
  });
  std::printf("%d seeds in %s\n", count, directory.c_str());
  return ok && count > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds DIRECTORY\n");
    return 2;
  }
  std::filesystem::path root(argv[1]);
  bool ok = write_seeds(root / "frames", milena::fuzz::seed_frames) &&
            write_seeds(root / "batches", milena::fuzz::seed_batches) &&
            write_seeds(root / "files", milena::fuzz::seed_files);
  return ok ? 0 : 1;
}
