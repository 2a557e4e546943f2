#include "store/damage.h"

#include <fmt/format.h>

namespace helios::store {
namespace {

constexpr const char* what_to_do =
    "what it is made of is on the log: stop the server and run `helios store rebuild`";

}  // namespace

std::unexpected<Error> damaged(const std::filesystem::path& file, std::string_view is) {
    return fail(ErrorKind::corrupt, fmt::format("store: {} {}", file.string(), is), what_to_do);
}

Result<model::Verdict> stored_verdict(std::string_view body) {
    auto verdict = model::decode_verdict(body);
    if (!verdict) {
        return fail(ErrorKind::corrupt,
                    "store: a stored verdict can't be decoded: " + verdict.error().what,
                    what_to_do);
    }
    return verdict;
}

}  // namespace helios::store
