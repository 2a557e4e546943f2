// Targets, queries and route matching. Checks what must hold for any bytes: decoding undoes
// encoding, a dot segment never gets through, a parameter is never empty, what matches was
// decodable.

#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/utf8.h"
#include "http/client.h"
#include "http/host_policy.h"
#include "http/route.h"
#include "http/url.h"

namespace {

const helios::http::RouteTable& routes() {
    static const helios::http::RouteTable table = [] {
        helios::http::RouteTable made;
        for (const auto* path : {"/", "/a/{x}", "/a/b", "/a/{x}/c/{y}", "/a/b/c", "/{any}",
                                 "/{any}/{other}/{third}"}) {
            helios::http::Route route;
            route.path = path;
            route.handler = [](helios::http::Request, const helios::Caller&,
                               helios::http::Responder) {};
            made.add(std::move(route));
        }
        return made;
    }();
    return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace helios::http;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto decoded = percent_decode(text)) {
        HELIOS_ASSERT(percent_decode(percent_encode(*decoded)) == *decoded,
                      "encoding and decoding are inverse");
        HELIOS_ASSERT(helios::utf8::is_valid(*decoded) && decoded->find('\0') == std::string::npos,
                      "only text comes out");
    }
    (void)parse_query(text);
    (void)Url::parse(text);
    const HostPolicy policy({"127.0.0.1"}, {"allowed.example"});
    if (policy.allows(text)) {
        const auto authority = split_authority(text);
        HELIOS_ASSERT(authority && (is_loopback_name(authority->name) ||
                                    equal_ignoring_case(authority->name, "allowed.example")),
                      "only known names");
    }
    const std::string origin(text);
    (void)HostPolicy::same_site("localhost:1", &origin, nullptr);
    const auto target = split_target(text);
    if (!target || target->path == "*") {
        return 0;
    }
    const auto path = decode_path(target->path);
    const auto match = routes().match(Method::get, target->path);
    if (match.route != nullptr) {
        for (const auto& [name, value] : match.path_params) {
            HELIOS_ASSERT(!value.empty() && helios::utf8::is_valid(value), "a parameter is text");
            HELIOS_ASSERT(!path || (value != "." && value != ".."), "no dot segment gets through");
        }
    }
    return 0;
}
