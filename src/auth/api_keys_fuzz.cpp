/// Any bytes as the file of keys, and as a key: what is read is written the same again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/api_keys.h"
#include "base/assert.h"
#include "base/hash.h"

namespace {

void look_at(std::string_view file) {
    using namespace helios::auth;
    const auto keys = ApiKeys::parse(file);
    if (!keys) {
        return;
    }
    const auto again = ApiKeys::parse(keys->encode());
    HELIOS_ASSERT(again && again->all() == keys->all(), "keys read back");
    for (const ApiKey& key : keys->all()) {
        HELIOS_ASSERT(keys->find(key.id) == &key, "every key is found");
    }
    HELIOS_ASSERT(!keys->check(file).is_held(), "a file is no key");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::auth;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    look_at(bytes);
    // As a list of keys whose checksum fits: else nothing would get past it.
    look_at("{\"version\":2,\"sha256\":\"" + helios::to_hex(helios::sha256(bytes)) +
            "\",\"keys\":" + std::string(bytes) + "}");
    if (const auto id = parse_api_key(bytes)) {
        HELIOS_ASSERT(bytes.substr(api_key_prefix.size()).starts_with(*id), "the id is in the key");
    }
    return 0;
}
