// Any bytes are an outcome under rules of every kind; each element of an array comes out.
#include "adapters/declared.h"
#include "adapters/fuzz_kit.h"

namespace {

helios::adapters::DeclaredRules rules(bool many) {
    using helios::adapters::Place;
    helios::adapters::DeclaredRules out;
    out.source = "shop";
    out.items = many ? "notificationItems[].NotificationRequestItem" : "";
    out.id = {*Place::parse("id"), *Place::parse("a.b")};
    out.type = *Place::parse("type");
    out.time = *Place::parse("created");
    out.payload = many ? "" : "data.object";
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace helios::adapters;
    static const DeclaredRules many = rules(true);
    static const DeclaredRules one = rules(false);
    for (const auto* each : {&many, &one}) {
        RawRequest request(helios::default_tenant());
        request.body = {reinterpret_cast<const char*>(data), size};
        const auto adapted = adapt_declared(request, *each);
        if (const auto* items = std::get_if<std::vector<Item>>(&adapted.outcome)) {
            for (const auto& item : *items) {
                check_item(item);
            }
        }
    }
    return 0;
}
