#include "log/live_files.h"

#include <filesystem>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <string>
#include <string_view>

#include "log/rocks.h"

namespace helios::log {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

bool is_ours_to_sync(const std::filesystem::path& directory) {
    const std::string name = directory.filename().string();
    return name.starts_with(live_name) || name.find(unfinished_suffix) != std::string::npos;
}

/// Without the slash that RocksDB likes to append.
std::filesystem::path directory_of(std::string_view name) {
    return name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
}

bool may_be_lost(const std::string& file) {
    const std::filesystem::path path(file);
    return path.extension() != ".sst" && is_ours_to_sync(path.parent_path());
}

class UnsyncedFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    using FSWritableFileOwnerWrapper::FSWritableFileOwnerWrapper;
    IOStatus Sync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
};

class UnsyncedDirectory final : public rocksdb::FSDirectoryWrapper {
public:
    using FSDirectoryWrapper::FSDirectoryWrapper;
    IOStatus Fsync(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus FsyncWithDirOptions(const IOOptions&, IODebugContext*,
                                 const rocksdb::DirFsyncOptions&) override {
        return IOStatus::OK();
    }
};

class LiveFiles final : public rocksdb::FileSystemWrapper {
public:
    using FileSystemWrapper::FileSystemWrapper;
    const char* Name() const override { return "helios.live"; }

    IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* out,
                             IODebugContext* context) override {
        const auto status = target()->NewWritableFile(name, options, out, context);
        if (status.ok() && may_be_lost(name)) {
            *out = std::make_unique<UnsyncedFile>(std::move(*out));
        }
        return status;
    }
    IOStatus ReopenWritableFile(const std::string& name, const FileOptions& options,
                                std::unique_ptr<rocksdb::FSWritableFile>* out,
                                IODebugContext* context) override {
        const auto status = target()->ReopenWritableFile(name, options, out, context);
        if (status.ok() && may_be_lost(name)) {
            *out = std::make_unique<UnsyncedFile>(std::move(*out));
        }
        return status;
    }
    /// There are no old write-ahead logs, and RocksDB asserts that a disk can tell.
    IOStatus FileExists(const std::string& name, const IOOptions& options,
                        IODebugContext* context) override {
        return name.ends_with("/archive") ? IOStatus::NotFound()
                                          : target()->FileExists(name, options, context);
    }
    IOStatus NewDirectory(const std::string& name, const IOOptions& options,
                          std::unique_ptr<rocksdb::FSDirectory>* out,
                          IODebugContext* context) override {
        const auto status = target()->NewDirectory(name, options, out, context);
        if (status.ok() && is_ours_to_sync(directory_of(name))) {
            *out = std::make_unique<UnsyncedDirectory>(std::move(*out));
        }
        return status;
    }
};

class LiveEnv final : public rocksdb::EnvWrapper {
public:
    LiveEnv(const std::shared_ptr<rocksdb::FileSystem>& files, rocksdb::Env& under)
        : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
        file_system_ = files;
        system_clock_ = impatient_clock(under.GetSystemClock());
    }
};

}  // namespace

std::shared_ptr<rocksdb::Env> live_files(rocksdb::Env* under) {
    rocksdb::Env& env = under == nullptr ? *rocksdb::Env::Default() : *under;
    return std::make_shared<LiveEnv>(std::make_shared<LiveFiles>(env.GetFileSystem()), env);
}

}  // namespace helios::log
