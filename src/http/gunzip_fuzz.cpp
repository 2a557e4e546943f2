// A compressed body: whatever comes, no more than the bound is ever held, and what was compressed
// here comes back.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "http/coding.h"

// NOLINTNEXTLINE(readability-identifier-naming): the fuzzer's name for it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::http;
    constexpr std::size_t bytes_max = 64u << 10;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto decoded = gunzip(bytes, bytes_max)) {
        HELIOS_ASSERT(decoded->size() <= bytes_max, "a body has its bound");
    }
    const auto coded = gzip(bytes, 1);
    const auto again = gunzip(coded, bytes_max);
    HELIOS_ASSERT(size > bytes_max ? !again.has_value() && again.error().too_large
                                   : again.has_value() && *again == bytes,
                  "what was compressed comes back");
    HELIOS_ASSERT(size > bytes_max || !gunzip(coded + "x", bytes_max).has_value(),
                  "nothing follows it");
    return 0;
}
