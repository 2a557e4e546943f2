/// Any bytes as a key set: what is taken is usable, and checks nothing that nobody signed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/fetch_schedule.h"
#include "auth/jwks.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::auth;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    static_cast<void>(fresh_for(bytes));
    const auto jwks = parse_jwks(bytes);
    if (!jwks) {
        HELIOS_ASSERT(!jwks.error().what.empty(), "an error says what");
        return 0;
    }
    HELIOS_ASSERT(!jwks->keys.keys().empty() && jwks->keys.keys().size() <= jwks_keys_max,
                  "a key set has keys, and not too many");
    for (const auto& key : jwks->keys.keys()) {
        HELIOS_ASSERT(!key.is_shared() && key.algorithm != Algorithm::hs256,
                      "what is published is no secret");
        HELIOS_ASSERT(!key.verifies("message", std::string(64, '\0')), "zeros sign nothing");
    }
    return 0;
}
