#pragma once
/// Topics and records as the tests of every log write them. Only for test programs.

#include <string>
#include <utility>
#include <vector>

#include "log/log.h"

namespace helios::log {

/// "events" (data, default partitions), "cases" (data, 2), "flows" (control, 1).
inline std::vector<TopicSpec> test_topics() {
    return {{"events", RetentionClass::data, 0},
            {"cases", RetentionClass::data, 2},
            {"flows", RetentionClass::control, 1}};
}

inline Record record_for(std::string topic, std::string key, std::string value) {
    Record record;
    record.topic = std::move(topic);
    record.type = 7;
    record.version = 2;
    record.payload_key_id = 5;
    record.key = std::move(key);
    record.value = std::move(value);
    return record;
}

}  // namespace helios::log
