#pragma once
/// Paths into a payload: "orderId", "order.id", "items[].sku". The first present of an ordered list
/// wins.

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace helios::model {

/// Dot-separated keys; a segment ending in "[]" walks the elements of an array. A key containing a
/// dot is written in double quotes.
class Path {
public:
    static Result<Path> parse(std::string_view text);  ///< invalid: empty segment, bad quote
    const std::string& text() const { return text_; }
    struct Segment {
        std::string key;
        bool each = false;
    };
    const std::vector<Segment>& segments() const { return segments_; }

private:
    std::string text_;
    std::vector<Segment> segments_;
};

struct Found {
    json::Value
        value;  ///< absent: the path leads nowhere (null and an empty string count as absent)
    bool duplicate = false;  ///< a key on the way, or the last one, occurs twice: which one is
                             ///< meant cannot be known
    const Path* path = nullptr;
};

/// Is there nothing? An empty string counts as absent, like null.
bool is_absent(json::Value value);

/// For paths without "[]".
Found lookup(json::Value root, const Path& path);
/// The first path whose value is not absent (or has a duplicate key on the way: that is an answer
/// too).
Found lookup_first(json::Value root, const std::vector<Path>& paths);
/// All values of a path with "[]", in document order; `duplicate` is set if any step met a
/// duplicate key.
std::vector<json::Value> lookup_all(json::Value root, const Path& path, bool& duplicate);

}  // namespace helios::model
