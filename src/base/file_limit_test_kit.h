#pragma once
/// For tests of every room: a disk that is full, as far as this process can see.

#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace helios {

/// No file can grow beyond this many bytes, as long as it lives.
class FileLimit {
public:
    explicit FileLimit(rlim_t bytes) : previous_(std::signal(SIGXFSZ, SIG_IGN)) {
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit small{bytes, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    }
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, previous_);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    void (*previous_)(int);
    rlimit before_{};
};

}  // namespace helios
