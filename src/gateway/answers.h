#pragma once
/// A receipt in each sender's words: status, body and headers by the table in docs/contracts.md,
/// "What each sender is told". Pure.
///
/// The rule behind the table: what is stored is acknowledged in the way that stops the sender from
/// sending it again; what is not stored is answered in the way that makes it send again, unless
/// sending again can never help.

#include "gateway/receipt.h"
#include "http/message.h"

namespace helios::gateway {

http::Response answer(const Door& door, const Receipt& receipt);

}  // namespace helios::gateway
