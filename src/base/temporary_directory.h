#pragma once
/// A directory that is removed with its owner.

#include <string>

#include "base/result.h"

namespace helios {

/// Where temporary files belong: $TMPDIR or /tmp. unavailable: there is no such directory.
Result<std::string> temporary_directory();

class TemporaryDirectory {
public:
    /// Under $TMPDIR or /tmp. unavailable: can't be made.
    static Result<TemporaryDirectory> make(const std::string& name_prefix);
    TemporaryDirectory(TemporaryDirectory&& other) noexcept;
    TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
    ~TemporaryDirectory();

    const std::string& path() const { return path_; }
    void keep() { path_.clear(); }  ///< it stays; path() is empty from now on

private:
    explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace helios
