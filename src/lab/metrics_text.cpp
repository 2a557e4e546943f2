#include "lab/metrics_text.h"

#include <algorithm>
#include <charconv>

namespace helios::lab {
namespace {

/// The value of `label` inside "{a="x",label="y"}"; label values with escaped quotes do not occur
/// in what the lab reads.
std::string_view label_value(std::string_view labels, std::string_view label) {
    std::string wanted = std::string(label) + "=\"";
    for (std::size_t at = labels.find(wanted); at != std::string_view::npos;
         at = labels.find(wanted, at + 1)) {
        if (at > 0 && (labels[at - 1] == '{' || labels[at - 1] == ',')) {
            std::string_view rest = labels.substr(at + wanted.size());
            return rest.substr(0, rest.find('"'));
        }
    }
    return {};
}

}  // namespace

std::map<std::string, double> sum_by_label(std::string_view text, std::string_view name,
                                           std::string_view label) {
    std::map<std::string, double> sums;
    while (!text.empty()) {
        std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        if (!line.starts_with(name) || line.size() == name.size() ||
            (line[name.size()] != '{' && line[name.size()] != ' ')) {
            continue;
        }
        std::size_t close =
            line[name.size()] == '{' ? line.find('}', name.size()) : name.size() - 1;
        if (close == std::string_view::npos) {
            continue;
        }
        std::string_view labels = line.substr(name.size(), close + 1 - name.size());
        std::string_view number = line.substr(std::min(line.size(), close + 2));
        double value = 0;
        if (std::from_chars(number.data(), number.data() + number.size(), value).ec ==
            std::errc{}) {
            sums[std::string(label_value(labels, label))] += value;
        }
    }
    return sums;
}

}  // namespace helios::lab
