#include "io/disk.h"

namespace milena::io {

IoResult<void> File::read_exactly(std::uint64_t offset, MutableByteView into) {
  TRY_ASSIGN(std::size_t got, read_at(offset, into));
  if (got < into.size()) return Err(IoError{ErrorKind::kIo, 0, "unexpected end of file"});
  return {};
}

bool Disk::exists(const std::string& path) { return stat(path).has_value(); }

IoResult<std::string> Disk::read_file(const std::string& path, std::uint64_t limit) {
  TRY_ASSIGN(auto file, open(path, OpenMode::kRead));
  TRY_ASSIGN(std::uint64_t size, file->size());
  if (size > limit) {
    return Err(IoError{ErrorKind::kInvalid, 0, "read " + path + ": longer than " + std::to_string(limit) + " bytes"});
  }
  std::string content(size, '\0');
  TRY_ASSIGN(std::size_t got,
             file->read_at(0, MutableByteView(reinterpret_cast<std::uint8_t*>(content.data()), content.size())));
  content.resize(got);
  return content;
}

namespace {

// Takes a half-made file back where the disk was full; hands the failure on.
IoResult<void> take_back(Disk& disk, const std::string& path, IoResult<void> result) {
  if (!result.failed() || result.error().kind != ErrorKind::kNoSpace) return result;
  auto removed = disk.remove_file(path);
  if (removed.failed() && removed.error().kind != ErrorKind::kNotFound) return removed;
  return result;
}

}  // namespace

IoResult<void> Disk::write_file(const std::string& path, std::string_view content, std::string_view unfinished) {
  std::string temporary = path + std::string(unfinished);
  auto write = [&]() -> IoResult<void> {
    {
      TRY_ASSIGN(auto file, open(temporary, OpenMode::kCreate));
      TRY(file->truncate(0));
      TRY(file->write_at(0, as_bytes(content)));
      TRY(file->sync());
    }
    return rename(temporary, path);
  };
  TRY(take_back(*this, temporary, write()));
  return sync_directory(parent_path(path));
}

IoResult<void> Disk::write_unsynced(const std::string& path, std::string_view content) {
  auto write = [&]() -> IoResult<void> {
    TRY_ASSIGN(auto file, open(path, OpenMode::kCreate));
    TRY(file->truncate(0));
    return file->write_at(0, as_bytes(content));
  };
  return take_back(*this, path, write());
}

IoResult<void> Disk::remove_tree(const std::string& path) {
  auto info = stat(path);
  if (info.failed()) {
    if (info.error().kind == ErrorKind::kNotFound) return {};
    return Err(info.error());
  }
  if (!info->is_directory) return remove_file(path);
  TRY_ASSIGN(auto entries, list(path));
  for (const DirectoryEntry& entry : entries) {
    std::string child = path + "/" + entry.name;
    TRY(entry.is_directory ? remove_tree(child) : remove_file(child));
  }
  return remove_directory(path);
}

std::string parent_path(const std::string& path) {
  std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace milena::io
