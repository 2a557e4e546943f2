/// Any bytes: a document or an error, never a crash; slices stay inside the input; canonical text
/// is a fixed point; and simdjson's own parser agrees about what is JSON. Lenient: what parse takes
/// has no flaw and the same values; and whatever is an array, an element has a flaw exactly if it
/// is no document by itself.

#include <cstddef>
#include <cstdint>
#include <simdjson.h>
#include <string_view>

#include "base/assert.h"
#include "base/json.h"

namespace {

using namespace helios;

void walk(json::Value v) {
    const std::string_view raw = v.raw();
    HELIOS_ASSERT(!raw.empty(), "a value without bytes");
    HELIOS_ASSERT(v.is_number() ? v.text() == raw : true, "a number not as written");
    for (std::size_t i = 0; i < v.size(); ++i) {
        const json::Value child = v.at(i);
        const std::string_view inner = child.raw();
        HELIOS_ASSERT(
            inner.data() > raw.data() && inner.data() + inner.size() < raw.data() + raw.size(),
            "a child outside its parent");
        if (v.is_object()) {
            HELIOS_ASSERT(v.find(v.key_at(i)).present(), "a key that cannot be found");
        }
        walk(child);
    }
    HELIOS_ASSERT(!v.at(v.size()).present(), "a child too many");
    if (v.is_object()) {
        v.has_duplicate_keys();
    }
}

void same(json::Value a, json::Value b) {
    HELIOS_ASSERT(a.raw() == b.raw() && a.text() == b.text() && a.size() == b.size(),
                  "lenient reads another value");
    for (std::size_t i = 0; i < a.size(); ++i) {
        HELIOS_ASSERT(a.key_at(i) == b.key_at(i), "lenient reads another name");
        same(a.at(i), b.at(i));
    }
}

void check_lenient(std::string_view bytes, const Result<json::Document>& strict) {
    const json::Limits limits{8, 64};  // low, so that they are met
    const auto lenient = json::Document::parse_lenient(bytes, limits);
    HELIOS_ASSERT(lenient || !strict, "lenient refuses a document");
    if (const auto whole = json::Document::parse(bytes, limits)) {
        HELIOS_ASSERT(lenient && !lenient->root().flaw(), "a flaw in what parse takes");
        same(whole->root(), lenient->root());
    }
    if (!lenient) {
        return;
    }
    const auto root = lenient->root();
    const bool array = root.is_array();
    for (std::size_t i = 0; i < (array ? root.size() : 1); ++i) {
        const auto item = array ? root.at(i) : root;
        const auto alone = json::Document::parse(item.raw(), limits);
        HELIOS_ASSERT(alone.has_value() == !item.flaw(), "a flaw is what does not parse");
        if (alone) {
            same(alone->root(), item);
        } else {
            HELIOS_ASSERT(item.flaw()->offset < item.raw().size(), "a flaw outside its value");
        }
    }
}

bool is_json_for_simdjson(std::string_view bytes, bool& comparable) {
    simdjson::dom::parser parser;
    const auto error = parser.parse(simdjson::padded_string(bytes)).error();
    // It also refuses what is JSON but does not fit its types or limits.
    comparable = error != simdjson::NUMBER_ERROR && error != simdjson::DEPTH_ERROR &&
                 error != simdjson::CAPACITY;
    return !error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto document = json::Document::parse(bytes);
    check_lenient(bytes, document);
    bool comparable = false;
    const bool expected = is_json_for_simdjson(bytes, comparable);
    if (!document) {
        HELIOS_ASSERT(!expected || document.error().what.find("nested deeper") != std::string::npos,
                      "refused what simdjson accepts");
        return 0;
    }
    HELIOS_ASSERT(expected || !comparable, "accepted what simdjson refuses");
    walk(document->root());
    HELIOS_ASSERT(bytes.find(document->root().raw()) != std::string_view::npos,
                  "raw bytes that are not in the input");
    const std::string once = json::canonical(document->root());
    const auto again = json::Document::parse(once);
    HELIOS_ASSERT(again.has_value(), "canonical text is not JSON");
    HELIOS_ASSERT(json::canonical(again->root()) == once, "canonical text is not a fixed point");
    return 0;
}
