// Embeds texts and says how alike they are to the first:  quickstart TEXT TEXT...
// Which server and as whom: OPENROUTER_BASE_URL and OPENROUTER_API_KEY.
#include <embedrouter/client.h>

#include <cstdio>
#include <string>
#include <vector>

namespace sdk = embedrouter::sdk;

int main(int argc, char** argv) {
  std::vector<std::string> texts(argv + 1, argv + argc);
  if (texts.empty()) texts = {"a text", "another"};

  const sdk::Client client;
  const auto reply = client.embeddings().generate({.input = texts, .model = "Taurus"}).get();
  if (!reply) {
    std::fprintf(stderr, "%s\n", reply.error().message().c_str());
    return 1;
  }
  const auto vectors = reply->matrix();
  if (!vectors) {
    std::fprintf(stderr, "%s\n", vectors.error().message().c_str());
    return 1;
  }
  for (std::size_t i = 0; i < vectors->rows(); ++i)
    std::printf("%.4f  %s\n", sdk::cosine(vectors->row(0), vectors->row(i)), texts[i].c_str());
  return 0;
}
