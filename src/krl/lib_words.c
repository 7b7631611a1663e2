/* random:word: short words that are easy to say, for names of things that have none yet. */
#include "krl/lib.h"

static const char *const words[] = {
    "acorn",    "anchor",  "apple",    "april",   "arch",    "arrow",    "aspen",    "attic",
    "autumn",   "badge",   "bamboo",   "barley",  "basket",  "beacon",   "bell",     "berry",
    "birch",    "bison",   "blanket",  "blossom", "bolt",    "bonnet",   "book",     "bottle",
    "branch",   "bread",   "breeze",   "brick",   "bridge",  "brook",    "broom",    "bucket",
    "butter",   "button",  "cabin",    "cactus",  "camel",   "candle",   "canoe",    "canvas",
    "carpet",   "cedar",   "cello",    "chalk",   "cherry",  "chestnut", "chimney",  "cinnamon",
    "circle",   "citrus",  "clay",     "clock",   "cloud",   "clover",   "coast",    "cobalt",
    "cocoa",    "compass", "copper",   "coral",   "corner",  "cotton",   "cradle",   "crane",
    "crater",   "cream",   "creek",    "cricket", "crown",   "crystal",  "cup",      "curtain",
    "cypress",  "daisy",   "dawn",     "deer",    "delta",   "desert",   "dew",      "diamond",
    "dock",     "dolphin", "dome",     "door",    "dove",    "dragon",   "drum",     "dune",
    "dusk",     "eagle",   "ebony",    "echo",    "elbow",   "elm",      "ember",    "engine",
    "fable",    "falcon",  "fern",     "ferry",   "fiddle",  "field",    "fig",      "finch",
    "flag",     "flame",   "flint",    "flute",   "forest",  "fountain", "frost",    "garden",
    "gate",     "ginger",  "glacier",  "glove",   "goose",   "grove",    "guitar",   "gull",
    "hammer",   "harbor",  "harp",     "harvest", "heather", "hedge",    "helmet",   "heron",
    "hill",     "honey",   "horizon",  "ice",     "igloo",   "indigo",   "ink",      "iris",
    "iron",     "island",  "ivory",    "ivy",     "jacket",  "jasmine",  "jewel",    "juniper",
    "kayak",    "kettle",  "kite",     "ladder",  "lake",    "lamp",     "lantern",  "laurel",
    "lavender", "leaf",    "lemon",    "lichen",  "lily",    "linen",    "lion",     "llama",
    "lotus",    "lumber",  "lunar",    "lute",    "magnet",  "mango",    "maple",    "marble",
    "marsh",    "meadow",  "melon",    "mint",    "mirror",  "moon",     "mountain", "mulberry",
    "needle",   "nest",    "north",    "nutmeg",  "oak",     "oasis",    "ocean",    "olive",
    "onyx",     "opal",    "orbit",    "otter",   "owl",     "paddle",   "palm",     "panda",
    "paper",    "parrot",  "peach",    "pear",    "pearl",   "pebble",   "pepper",   "piano",
    "pigeon",   "pillow",  "pine",     "plum",    "pond",    "poppy",    "prism",    "puffin",
    "pumpkin",  "quill",   "rabbit",   "radish",  "raft",    "rain",     "raven",    "ribbon",
    "ridge",    "river",   "robin",    "rope",    "rose",    "ruby",     "saddle",   "saffron",
    "sail",     "sand",    "sapphire", "shell",   "silk",    "silver",   "slate",    "snow",
    "sparrow",  "spruce",  "star",     "stone",   "storm",   "summit",   "sun",      "swan",
    "tulip",    "tundra",  "turtle",   "valley",  "velvet",  "violet",   "walnut",   "wheat",
    "willow",   "window",  "winter",   "wolf",    "wood",    "wren",     "yarrow",   "zinc",
};

struct krl_value lib_word(struct krl_machine *m, const struct krl_value *args, size_t n)
{
    (void)args;
    (void)n;
    const size_t count = COUNT(words);
    return krl_ascii(&m->heap, words[(size_t)(krl_chance(m) * (double)count)]);
}
