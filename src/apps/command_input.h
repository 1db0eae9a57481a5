#pragma once
// What `embed` and `route` send.

#include <embedrouter/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace embedrouter::apps {

// `named`, where "-" stands for the lines of standard input, then the lines of `files`; standard input alone
// where nothing is named. At least one text, all of them UTF-8 and not empty.
Result<std::vector<std::string>> read_texts(const std::vector<std::string>& named,
                                            const std::vector<std::string>& files);

// A body for POST /embeddings. `provider`: a JSON object as it stands; empty: none.
std::string embeddings_body(std::string_view model, const std::vector<std::string>& texts,
                            std::string_view provider = {});

}  // namespace embedrouter::apps
