/// OpenFiles: the files that the logs of one loop hold open, in the order of their last use. Above the limit the one
/// that was used longest ago is closed, and what nobody used for a while is closed, too; its owner opens it again when
/// it needs it. Plans that are under way keep their own hold on a file.
///
/// Threads: for one thread, as the logs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace milena::log {

class OpenFiles {
 public:
  /// Of something that holds one file open at a time; it leaves when destroyed.
  class Holder {
   public:
    Holder() = default;
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   protected:
    virtual ~Holder() { leave_files(); }
    virtual void close_file() = 0;
    /// The file is closed already.
    void leave_files();

   private:
    friend class OpenFiles;
    OpenFiles* files_ = nullptr;
    Holder* newer_ = nullptr;
    Holder* older_ = nullptr;
    std::uint64_t period_ = 0;
  };

  /// REQUIRES: limit > 0.
  explicit OpenFiles(std::size_t limit) : limit_(limit) {}
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  ~OpenFiles();

  /// Its file is in use now. May close those of others.
  void use(Holder& holder);
  /// A period has passed: closes what was used in neither this nor the one before.
  void end_period();
  std::size_t count() const { return count_; }

 private:
  void close_oldest();
  void link(Holder& holder);
  void unlink(Holder& holder);

  std::size_t limit_;
  std::size_t count_ = 0;
  std::uint64_t period_ = 1;
  Holder* newest_ = nullptr;
  Holder* oldest_ = nullptr;
};

}  // namespace milena::log
