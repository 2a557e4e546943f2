/// The schemas of the OpenAPI document, as JSON. One place for what routes refer to by name;
/// api_test checks that every reference leads somewhere.

#include "api/routes.h"

namespace helios::api {
namespace {

constexpr std::string_view components = R"json({"securitySchemes":{
"bearer":{"type":"http","scheme":"bearer","description":"An API key (`helios key add`) or a JWT. Not asked for as long as only this machine reaches the server."}},
"schemas":{
"Problem":{"type":"object","description":"RFC 9457. The members from `reason` on stand where they apply.","required":["type","title","status"],"properties":{
  "type":{"type":"string","default":"about:blank"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},"hint":{"type":"string","description":"What to do next."},
  "reason":{"type":"string","examples":["missing_field"]},"errors":{"type":"array","items":{"type":"string"}},"dlqId":{"type":"string"},"flow":{"type":"string","description":"Of the case that was asked for."},"key":{"type":"string"},
  "quarantined":{"type":"array","items":{"$ref":"#/components/schemas/Quarantined"},"description":"What waits there and names the key."},
  "otherFlows":{"type":"array","items":{"type":"string"},"description":"Other flows with a case for this key."},
  "candidates":{"type":"array","items":{"type":"object"},"description":"Which one was meant?"},"checks":{"type":"array","items":{"$ref":"#/components/schemas/Check"}}}},

"Source":{"type":"string","minLength":1,"description":"aws, gcp, azure, or a name that an active flow uses.","examples":["aws"]},
"Decimal":{"type":"string","description":"Exact decimal in plain notation.","pattern":"^-?[0-9]+(\\.[0-9]+)?$","examples":["1299.00"]},
"Money":{"type":"object","required":["currency","amount"],"properties":{"currency":{"type":"string","examples":["USD"]},"amount":{"$ref":"#/components/schemas/Decimal"}}},
"AsOf":{"type":"string","format":"date-time","description":"The log time up to which this answer is complete: all that Helios had received (`receivedAt`) before it is in, and all that follows from it. It moves on while the server keeps up; an older one says how far a backlog is behind.","examples":["2026-01-05T10:23:48.123456789Z"]},
"Status":{"type":"string","enum":["pending","matched","partial","mismatched"],"description":"The first that holds: partial (a needed leg is past its deadline), pending (still waiting), mismatched (a check failed), matched."},
"FindingKind":{"type":"string","enum":["missing","late","amount","currency","quantity","data","duplicate","orphan","ambiguous","skew","order"]},
"Finding":{"type":"object","required":["kind","severity","final"],"properties":{
  "kind":{"$ref":"#/components/schemas/FindingKind"},"leg":{"type":"string"},"check":{"type":"string","description":"The flow's name of the check."},
  "expected":{"type":"string"},"actual":{"type":"string"},"tolerance":{"type":"string"},"unit":{"type":"string"},
  "severity":{"type":"string","enum":["warning","error"]},"final":{"type":"boolean","description":"false while another leg may still come in time."},"detail":{"type":"string"}}},
"VerdictEvent":{"type":"object","required":["eventId","source","type","receivedAt"],"properties":{
  "eventId":{"type":"string"},"source":{"$ref":"#/components/schemas/Source"},"type":{"type":"string"},"time":{"type":"string","format":"date-time","description":"When it happened, by the flow's paths. Absent: no time that can be read."},
  "receivedAt":{"type":"string","format":"date-time"},"payload":{"type":["object","null"]},"expired":{"type":"boolean","description":"The payload is past the log's retention."}}},
"Verdict":{"type":"object","required":["flow","flowVersion","key","instance","revision","status","missingEvents","findings","events","atRisk","openedAt"],"properties":{
  "flow":{"type":"string"},"flowVersion":{"type":"integer"},"key":{"type":"string"},"orderId":{"type":"string","description":"The key again, under the flow's name for it."},
  "instance":{"type":"integer"},"revision":{"type":"integer"},"status":{"$ref":"#/components/schemas/Status"},
  "missingEvents":{"type":"array","items":{"type":"string"},"description":"Legs, in flow order."},
  "findings":{"type":"array","items":{"$ref":"#/components/schemas/Finding"},"description":"Empty while pending."},
  "events":{"type":"object","description":"By leg; a leg with several events is an array; absent legs are left out.","additionalProperties":{"anyOf":[{"$ref":"#/components/schemas/VerdictEvent"},{"type":"array","items":{"$ref":"#/components/schemas/VerdictEvent"}}]}},
  "eventsNotListed":{"type":"object","description":"By leg: how many more events the verdict rests on than the 100 that are listed; a leg with no more is left out.","additionalProperties":{"type":"integer"}},
  "atRisk":{"type":"array","items":{"$ref":"#/components/schemas/Money"}},
  "openedAt":{"type":"string","format":"date-time"},"deadline":{"type":"string","format":"date-time","description":"The last leg's; absent if a leg may come whenever it likes (`deadline: forever`). While legs are awaited it moves by the time in which Helios itself was away, and a grace."},"reconciledAt":{"type":"string","format":"date-time","description":"Absent while pending."},
  "otherFlows":{"type":"array","items":{"type":"string"},"description":"Other flows with a case for this key."}}},
"StreamedVerdict":{"allOf":[{"$ref":"#/components/schemas/Verdict"},{"type":"object","required":["position"],"properties":{"position":{"type":"string","description":"Where this revision stands: what `after` takes."}}}]},
"CasePage":{"type":"object","required":["items","nextCursor","asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},"items":{"type":"array","items":{"$ref":"#/components/schemas/Verdict"}},"nextCursor":{"type":["string","null"]}}},
"RevisionList":{"type":"object","required":["items"],"properties":{"items":{"type":"array","items":{"$ref":"#/components/schemas/Verdict"}}}},
"Figures":{"type":"object","required":["status","kinds","decided","matchRate","timeToVerdictSeconds","atRisk"],"properties":{
  "status":{"type":"object","additionalProperties":{"type":"integer"}},"kinds":{"type":"object","additionalProperties":{"type":"integer"}},
  "decided":{"type":"integer"},"matchRate":{"type":["number","null"],"description":"matched / decided; null if none was decided."},
  "timeToVerdictSeconds":{"type":"object","properties":{"mean":{"type":["number","null"]},"p99":{"type":["number","null"]}}},
  "atRisk":{"type":"array","items":{"$ref":"#/components/schemas/Money"},"description":"Exact sums over partial and mismatched cases."}}},
"Bucket":{"allOf":[{"$ref":"#/components/schemas/Figures"},{"type":"object","required":["from","to"],"properties":{
  "from":{"type":"string","format":"date-time"},"to":{"type":"string","format":"date-time","description":"Exclusive."}}}]},
"Stats":{"allOf":[{"$ref":"#/components/schemas/Figures"},{"type":"object","required":["asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},
  "buckets":{"type":"array","maxItems":1000,"items":{"$ref":"#/components/schemas/Bucket"},"description":"If `bucket` was asked for: oldest first, none left out. They count decided cases only."}}}]},
"Explanation":{"type":"object","description":"Timeline, legs, checks, quarantine, what happens next.","additionalProperties":true},

"EventLine":{"type":"object","required":["source","payload"],"description":"An empty string counts as absent, like null. Unknown members are ignored. A member that occurs twice, text that is no UTF-8 or no character, control characters in source, eventType or id, and a payload that lacks what the catalogue asks of its type: quarantined whole.",
  "anyOf":[{"required":["eventType"],"properties":{"eventType":{"type":"string","minLength":1}}},{"required":["type"],"properties":{"type":{"type":"string","minLength":1}}}],"properties":{
  "source":{"$ref":"#/components/schemas/Source"},"eventType":{"type":["string","null"],"description":"At most 512 bytes.","examples":["OrderPlaced"]},"type":{"type":["string","null"],"description":"Another name of `eventType`; where both are there they must be equal."},
  "id":{"type":["string","number","null"],"description":"At most 1,024 bytes. A number's text is the id. Without it the content's hash is the identity."},"time":{"description":"RFC 3339, or epoch milliseconds; without a zone UTC is assumed. What can't be read as a time refuses nothing: it is kept as sent, and a warning says so.","examples":["2026-01-05T10:23:45.120Z"]},
  "payload":{"type":"object"},"metadata":{"anyOf":[{"type":["object","null"]},{"const":""}]}}},
"IngestAnswer":{"type":"object","required":["status","eventId"],"properties":{
  "status":{"type":"string","enum":["accepted","duplicate","conflict"]},"eventId":{"type":"string"},"identity":{"type":"string","enum":["content"],"description":"Present if the event had no id."},
  "position":{"type":"string","description":"Pass as `after` to read what follows from this event."},"warnings":{"type":"array","items":{"type":"string"}},
  "dlqId":{"type":"string","description":"Of a conflict: where it is kept."},"detail":{"type":"string"}}},
"BatchAnswer":{"type":"object","required":["accepted","duplicate","conflict","quarantined","failed","items"],"properties":{
  "accepted":{"type":"integer"},"duplicate":{"type":"integer"},"conflict":{"type":"integer"},"quarantined":{"type":"integer"},"failed":{"type":"integer"},
  "position":{"type":"string","description":"Of all items that have one: pass as `after` to read what follows from the whole batch. Absent: no item has one, or they stand in more than 512 partitions."},
  "items":{"type":"array","items":{"type":"object","required":["index","status","retryable"],"properties":{
    "index":{"type":"integer"},"status":{"type":"string","enum":["accepted","duplicate","conflict","quarantined","failed"]},"retryable":{"type":"boolean","description":"Send it again."},
    "eventId":{"type":"string"},"identity":{"type":"string","enum":["content"]},"position":{"type":"string"},"warnings":{"type":"array","items":{"type":"string"}},
    "dlqId":{"type":"string"},"reason":{"type":"string"},"detail":{"type":"string"},"errors":{"type":"array","items":{"type":"string"}},"error":{"type":"string"}}}}}},

"Event":{"type":"object","required":["eventId","source","scope","eventType","receivedAt","position","identity","payload"],"properties":{
  "eventId":{"type":"string"},"source":{"$ref":"#/components/schemas/Source"},"scope":{"type":"string","description":"EventBridge account/region, Pub/Sub subscription, Event Grid topic; empty for direct ones."},
  "eventType":{"type":"string"},"time":{"type":"string","format":"date-time","description":"The source's claim. Absent: none, or none that can be read; `warnings` says which."},"receivedAt":{"type":"string","format":"date-time","description":"Log time."},
  "key":{"type":"string"},"orderId":{"type":"string"},"customerId":{"type":"string"},"position":{"type":"string"},
  "identity":{"type":"string","enum":["native","content"]},"copies":{"type":"integer","description":"How many further records of this event the log took in: same identity, same content. Absent: none."},
  "otherRecords":{"type":"array","description":"Of one event: the other records under its identity, oldest first, at most 1,000. Absent: none.","items":{"type":"object","required":["receivedAt","position","sameContent"],"properties":{
    "receivedAt":{"type":"string","format":"date-time"},"position":{"type":"string"},"sameContent":{"type":"boolean","description":"A copy; else an event of its own, which lists show."}}}},
  "payload":{"type":["object","null"]},"expired":{"type":"boolean"},"metadata":{"type":["object","null"]},
  "warnings":{"type":"array","items":{"type":"string"}},"traceparent":{"type":"string"}}},
"EventPage":{"type":"object","required":["items","nextCursor","asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},"items":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},"nextCursor":{"type":["string","null"]},"hint":{"type":"string","description":"Of an empty list: how events write the source or type that was asked for."}}},

"Quarantined":{"type":"object","required":["dlqId","kind","reason","detail","source","firstReceivedAt","lastReceivedAt","times","status","attempts"],"properties":{
  "dlqId":{"type":"string"},"kind":{"type":"string","enum":["event","confirmation"]},"reason":{"type":"string","examples":["missing_field"]},"detail":{"type":"string"},
  "source":{"type":"string"},"endpoint":{"type":"string"},"scope":{"type":"string"},"eventId":{"type":"string"},"eventType":{"type":"string"},"orderId":{"type":"string"},
  "firstReceivedAt":{"type":"string","format":"date-time"},"lastReceivedAt":{"type":"string","format":"date-time"},"times":{"type":"integer","description":"How often it came."},
  "status":{"type":"string","enum":["waiting","accepted","discarded","exhausted"],"description":"accepted: it is an event now. exhausted: three attempts have failed."},"attempts":{"type":"integer","description":"How often it was tried again."}}},
"QuarantinedItem":{"allOf":[{"$ref":"#/components/schemas/Quarantined"},{"type":"object","required":["body","outcomes"],"properties":{
  "outcomes":{"type":"array","description":"What has become of it, oldest first.","items":{"type":"object","required":["what","attempt","who","at"],"properties":{"what":{"type":"string","enum":["accepted","duplicate","conflict","failed","exhausted","discarded"]},"attempt":{"type":"integer","description":"0: none was made."},"who":{"type":"string"},"at":{"type":"string","format":"date-time"},"source":{"type":"string"},"scope":{"type":"string"},"eventId":{"type":"string"},"reason":{"type":"string"},"detail":{"type":"string"},"redrive":{"type":"string"},"edited":{"type":"string","description":"Members that were given anew."}}}},
  "errors":{"type":"array","items":{"type":"string"}},"headers":{"type":"object","description":"Credentials are fingerprints."},"traceparent":{"type":"string"},
  "body":{"type":["string","null"]},"bodyEncoding":{"type":"string","enum":["utf-8","base64"]},"expired":{"type":"boolean"}}}]},
"Redrive":{"type":"object","required":["id","status","total","done","accepted","duplicate","conflict","failed","skipped","who","filter","begunAt"],"properties":{
  "id":{"type":"string"},"status":{"type":"string","enum":["running","done","stopped"],"description":"stopped: too much failed; detail says what."},"total":{"type":"integer","description":"Items when it began."},"done":{"type":"integer"},
  "accepted":{"type":"integer"},"duplicate":{"type":"integer"},"conflict":{"type":"integer"},"failed":{"type":"integer"},"skipped":{"type":"integer","description":"Known at its end: items that needed no try any more."},
  "who":{"type":"string"},"filter":{"type":"object"},"begunAt":{"type":"string","format":"date-time"},"endedAt":{"type":"string","format":"date-time"},"detail":{"type":"string"}}},
"QuarantinePage":{"type":"object","required":["items","nextCursor","asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},"items":{"type":"array","items":{"$ref":"#/components/schemas/Quarantined"}},"nextCursor":{"type":["string","null"]},"hint":{"type":"string","description":"Of an empty list: how events write the source or type that was asked for."}}},

"FlowList":{"type":"object","required":["items","asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},"items":{"type":"array","items":{"type":"object","required":["flow","version","active","primary","activatedAt","hash","text"],"properties":{
  "flow":{"type":"string"},"version":{"type":"integer"},"active":{"type":"boolean"},"primary":{"type":"boolean"},"activatedAt":{"type":"string","format":"date-time"},"hash":{"type":"string"},"text":{"type":"string"}}}}}},
"Hops":{"type":"object","description":"Hop to counter to number.","additionalProperties":{"type":"object","additionalProperties":{"type":"integer"}}},
"Counts":{"type":"object","required":["totals","items","asOf"],"properties":{"asOf":{"$ref":"#/components/schemas/AsOf"},"hint":{"type":"string","description":"Of an empty list: how events write the source or type that was asked for."},"startTime":{"type":"string","format":"date-time"},"endTime":{"type":"string","format":"date-time"},
  "totals":{"type":"array","items":{"type":"object","required":["source","hops"],"properties":{"source":{"type":"string"},"hops":{"$ref":"#/components/schemas/Hops"}}}},
  "items":{"type":"array","items":{"type":"object","required":["minute","source","hops"],"properties":{"minute":{"type":"string","format":"date-time"},"source":{"type":"string"},"hops":{"$ref":"#/components/schemas/Hops"}}}}}},
"Check":{"type":"object","required":["name","status"],"properties":{"name":{"type":"string"},"status":{"type":"string","enum":["ok","failing"]},"detail":{"type":"string"},"hint":{"type":"string"}}},
"Liveness":{"type":"object","required":["status"],"properties":{"status":{"type":"string","const":"ok"}}},
"Readiness":{"type":"object","required":["status","checks"],"properties":{"status":{"type":"string","const":"ready"},"checks":{"type":"array","items":{"$ref":"#/components/schemas/Check"}}}},
"Health":{"type":"object","required":["status","checks","log","stages","components","clouds"],"properties":{
  "status":{"type":"string","enum":["healthy","degraded"]},"version":{"type":"string"},"ephemeral":{"type":"boolean"},"time":{"type":"string","format":"date-time"},
  "checks":{"type":"array","items":{"$ref":"#/components/schemas/Check"}},
  "log":{"type":"object","properties":{"lowWatermark":{"type":["string","null"],"format":"date-time"},"lastLogTime":{"type":["string","null"],"format":"date-time"},"damage":{"type":"array","items":{"type":"object"}}}},
  "stages":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"frontier":{"type":["string","null"],"format":"date-time","description":"Null: it has read nothing yet."},"lagSeconds":{"type":["number","null"]}}}},
  "components":{"type":"object","additionalProperties":{"type":"object"}},"clouds":{"type":"object","additionalProperties":{"type":"object"}}}},
"ServerStatus":{"type":"object","required":["name","version","status","links"],"properties":{"name":{"type":"string"},"version":{"type":"string"},"status":{"type":"string"},"ephemeral":{"type":"boolean"},
  "flows":{"type":"array","items":{"type":"string"}},"links":{"type":"object","additionalProperties":{"type":"string"}}}}
}})json";

}  // namespace

std::string_view openapi_components() {
    return components;
}

}  // namespace helios::api
