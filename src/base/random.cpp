#include "base/random.h"

#include <cerrno>
#include <sys/random.h>

#include "base/assert.h"

namespace helios {

void fill_random(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::getrandom(bytes.data(), bytes.size(), 0);
        HELIOS_ASSERT(n > 0 || errno == EINTR, "the machine has a random source");
        bytes = bytes.subspan(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
}

}  // namespace helios
