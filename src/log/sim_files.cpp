#include "log/sim_files.h"

#include <algorithm>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>
#include <string>
#include <vector>

#include "log/disk.h"

namespace helios::log {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::exhausted:
            return IOStatus::NoSpace(error.what);
        case ErrorKind::not_found:
            return IOStatus::PathNotFound(error.what);
        default:
            return IOStatus::IOError(error.what);
    }
}
IOStatus status_of(const Status& done) {
    return done ? IOStatus::OK() : status_of(done.error());
}

/// Without the slash that RocksDB likes to append.
std::string folder_of(const std::string& name) {
    return name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
}

IOStatus read(File& file, std::uint64_t offset, std::size_t n, Slice* result, char* scratch) {
    const auto got = read_fully(file, offset, {scratch, n});
    if (!got) {
        return status_of(got.error());
    }
    *result = Slice(scratch, *got);
    return IOStatus::OK();
}

class SequentialFile final : public rocksdb::FSSequentialFile {
public:
    explicit SequentialFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

    IOStatus Read(std::size_t n, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) override {
        const auto status = read(*file_, at_, n, result, scratch);
        at_ += status.ok() ? result->size() : 0;
        return status;
    }
    IOStatus Skip(std::uint64_t n) override {
        at_ += n;
        return IOStatus::OK();
    }

private:
    const std::unique_ptr<File> file_;
    std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
public:
    explicit RandomAccessFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

    IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions&, Slice* result,
                  char* scratch, IODebugContext*) const override {
        return read(*file_, offset, n, result, scratch);
    }

private:
    const std::unique_ptr<File> file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
public:
    WritableFile(std::unique_ptr<File> file, std::uint64_t at) : file_(std::move(file)), at_(at) {}

    using FSWritableFile::Append;
    IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
        const auto done = file_->pwrite(at_, {data.data(), data.size()});
        at_ += done ? data.size() : 0;
        return status_of(done);
    }
    IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
        at_ = std::min(at_, size);
        return status_of(file_->truncate(size));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Sync(const IOOptions&, IODebugContext*) override { return status_of(file_->sync()); }
    std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return at_; }

private:
    const std::unique_ptr<File> file_;
    std::uint64_t at_;
};

class Directory final : public rocksdb::FSDirectory {
public:
    Directory(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        return status_of(disk_.sync_directory(path_));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

private:
    Disk& disk_;
    const std::string path_;
};

class HeldLock final : public rocksdb::FileLock {};

class DiskFiles final : public rocksdb::FileSystem {
public:
    explicit DiskFiles(Disk& disk) : disk_(disk) {}
    const char* Name() const override { return "helios.sim"; }

    IOStatus NewSequentialFile(const std::string& name, const FileOptions&,
                               std::unique_ptr<rocksdb::FSSequentialFile>* out,
                               IODebugContext*) override {
        return open<SequentialFile>(name, OpenMode::read, out);
    }
    IOStatus NewRandomAccessFile(const std::string& name, const FileOptions&,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* out,
                                 IODebugContext*) override {
        return open<RandomAccessFile>(name, OpenMode::read, out);
    }
    IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* out,
                             IODebugContext*) override {
        return open<WritableFile>(name, OpenMode::create, out, true);
    }
    IOStatus ReopenWritableFile(const std::string& name, const FileOptions&,
                                std::unique_ptr<rocksdb::FSWritableFile>* out,
                                IODebugContext*) override {
        return open<WritableFile>(name, OpenMode::create, out, false);
    }
    IOStatus NewDirectory(const std::string& name, const IOOptions&,
                          std::unique_ptr<rocksdb::FSDirectory>* out, IODebugContext*) override {
        const auto listed = disk_.list(folder_of(name));
        if (!listed) {
            return status_of(listed.error());
        }
        *out = std::make_unique<Directory>(disk_, folder_of(name));
        return IOStatus::OK();
    }

    IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
        const auto exists = disk_.exists(folder_of(name));
        if (!exists) {
            return status_of(exists.error());
        }
        return *exists ? IOStatus::OK() : IOStatus::NotFound();
    }
    IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* out,
                         IODebugContext*) override {
        auto listed = disk_.list(folder_of(name));
        if (!listed) {
            return status_of(listed.error());
        }
        *out = *std::move(listed);
        return IOStatus::OK();
    }
    IOStatus IsDirectory(const std::string& name, const IOOptions&, bool* out,
                         IODebugContext*) override {
        *out = disk_.list(folder_of(name)).has_value();
        return IOStatus::OK();
    }
    IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
        return status_of(disk_.remove(name));
    }
    IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
        return status_of(disk_.make_directory(folder_of(name)));
    }
    IOStatus CreateDirIfMissing(const std::string& name, const IOOptions& options,
                                IODebugContext* context) override {
        return disk_.list(folder_of(name)) ? IOStatus::OK() : CreateDir(name, options, context);
    }
    IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
        return status_of(disk_.remove_all(folder_of(name)));
    }
    IOStatus GetFileSize(const std::string& name, const IOOptions&, std::uint64_t* out,
                         IODebugContext*) override {
        const auto file = disk_.open(name, OpenMode::read);
        if (!file) {
            return status_of(file.error());
        }
        const auto size = (*file)->size();
        if (!size) {
            return status_of(size.error());
        }
        *out = *size;
        return IOStatus::OK();
    }
    IOStatus GetFileModificationTime(const std::string&, const IOOptions&, std::uint64_t* out,
                                     IODebugContext*) override {
        *out = 0;
        return IOStatus::OK();
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                        IODebugContext*) override {
        return status_of(disk_.rename(folder_of(from), folder_of(to)));
    }
    IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
        return status_of(disk_.link(from, to));
    }
    /// One process, one database for each folder: who is there is not asked.
    IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** out,
                      IODebugContext*) override {
        *out = new HeldLock;
        return IOStatus::OK();
    }
    IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
        delete lock;
        return IOStatus::OK();
    }
    IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
        return IOStatus::NotSupported();
    }
    IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>*,
                       IODebugContext*) override {
        return IOStatus::NotSupported();
    }
    IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* out,
                             IODebugContext*) override {
        *out = name;
        return IOStatus::OK();
    }

private:
    template <class Opened, class Base>
    IOStatus open(const std::string& name, OpenMode mode, std::unique_ptr<Base>* out) {
        auto file = disk_.open(name, mode);
        if (!file) {
            return status_of(file.error());
        }
        *out = std::make_unique<Opened>(*std::move(file));
        return IOStatus::OK();
    }
    template <class Opened, class Base>
    IOStatus open(const std::string& name, OpenMode mode, std::unique_ptr<Base>* out, bool anew) {
        auto file = disk_.open(name, mode);
        if (!file) {
            return status_of(file.error());
        }
        const auto size = (*file)->size();
        if (!size) {
            return status_of(size.error());
        }
        if (const auto cut = anew && *size > 0 ? (*file)->truncate(0) : Status{}; !cut) {
            return status_of(cut.error());
        }
        *out = std::make_unique<Opened>(*std::move(file), anew ? 0 : *size);
        return IOStatus::OK();
    }

    Disk& disk_;
};

class HastyClock final : public rocksdb::SystemClockWrapper {
public:
    using SystemClockWrapper::SystemClockWrapper;
    const char* Name() const override { return "helios.hasty"; }
    void SleepForMicroseconds(int) override {}
};

class DiskEnv final : public rocksdb::EnvWrapper {
public:
    explicit DiskEnv(const std::shared_ptr<rocksdb::FileSystem>& files)
        : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
        file_system_ = files;
        system_clock_ = std::make_shared<HastyClock>(rocksdb::SystemClock::Default());
    }
    void SleepForMicroseconds(int) override {}
};

}  // namespace

std::shared_ptr<rocksdb::Env> files_over(Disk& disk) {
    return std::make_shared<DiskEnv>(std::make_shared<DiskFiles>(disk));
}

}  // namespace helios::log
