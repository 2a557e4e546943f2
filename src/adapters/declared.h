#pragma once
/// Senders that a configuration describes: where their events are in what they post, and where each
/// thing that Helios needs stands in them. Pure, as every adapter.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "base/claimed_time.h"
#include "base/result.h"
#include "model/path.h"

namespace helios::adapters {

/// Where a value is: a path into the item ("data.object.id"), or a header of the request
/// ("header:X-GitHub-Delivery").
class Place {
public:
    /// invalid: neither.
    static Result<Place> parse(std::string_view text);

    const std::string& text() const { return text_; }
    bool is_header() const { return !path_; }
    const std::string& header() const { return header_; }  ///< its name; empty: it is a path

private:
    friend class DeclaredReader;
    std::string text_;
    std::string header_;
    std::optional<model::Path> path_;
};

struct DeclaredRules {
    std::string source;
    /// To the items of a request, through one "[]": "events[]", "list[].item"; "[]" alone: the body
    /// is an array of them. Empty: the body is the one item.
    std::string items;
    /// Joined by "/"; each must be there. None: the content is the identity.
    std::vector<Place> id;
    std::optional<Place> type;
    std::optional<Place> time;
    std::optional<EpochUnit> time_unit;
    /// Within the item, to an object; empty: the item.
    std::string payload;
    std::map<std::string, std::string, std::less<>> types;  ///< theirs → ours; others as they are

    /// Of the headers that any of these stand in, in lower case.
    std::vector<std::string> headers() const;
    /// invalid: no type, a path that is none.
    Status validate() const;
};

/// Of rules that are valid. What is JSON is taken apart; where a path leads nowhere the item is
/// rejected.
Adapted adapt_declared(const RawRequest& request, const DeclaredRules& rules);

/// Of one item as quarantine keeps it: the body is one element of the items' array.
Adapted adapt_declared_item(const RawRequest& request, const DeclaredRules& rules);

}  // namespace helios::adapters
