#include "auth/constant_time.h"

#include "base/hash.h"

namespace helios::auth {

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    // volatile, so that no compiler leaves the loop early.
    volatile unsigned char different = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        different = static_cast<unsigned char>(
            different | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
    }
    return different == 0;
}

bool is_one_of(std::string_view presented, std::span<const std::string> secrets) {
    // Digests have one length, and what they have in common tells nothing of the texts.
    const auto digest = [](std::string_view text) {
        const Digest256 bytes = sha256(text);
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    const std::string wanted = digest(presented);
    bool found = false;
    for (const std::string& secret : secrets) {
        found = equal_in_constant_time(wanted, digest(secret)) || found;
    }
    return found;
}

}  // namespace helios::auth
