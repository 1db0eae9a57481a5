// Embeds texts in this process and says how alike they are to the first:  quickstart-local FOLDER TEXT
// TEXT... FOLDER: a model as the Hugging Face hub has it.
#include <embedrouter/local.h>

#include <cstdio>
#include <string>
#include <vector>

namespace sdk = embedrouter::sdk;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: %s FOLDER TEXT...\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> texts(argv + 2, argv + argc);
  const auto client = embedrouter::local::open({.folder = argv[1]});
  if (!client) {
    std::fprintf(stderr, "%s\n", client.error().message().c_str());
    return 1;
  }
  const auto reply = client->embeddings().generate({.input = texts, .model = "Taurus"}).get();
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
