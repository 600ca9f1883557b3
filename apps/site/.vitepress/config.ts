import type { DefaultTheme, UserConfig } from "vitepress";
import { menu } from "../src/menu.ts";

const repository = "https://github.com/parley-dev/parley";

const config: UserConfig<DefaultTheme.Config> = {
  title: "Parley",
  description: "One message, any wire, proven: agents and services over HTTP, WebSocket, SSE, MQTT, gRPC and stdio.",
  lang: "en",
  srcDir: "pages",
  outDir: "dist",
  cacheDir: ".vitepress/cache",
  // The reference has no order to read it in.
  transformPageData: ({ relativePath, frontmatter }) =>
    relativePath.startsWith("reference/") ? { frontmatter: { ...frontmatter, prev: false, next: false } } : undefined,
  vite: { build: { chunkSizeWarningLimit: 2_000 } }, // the search index, which is fetched when somebody searches
  // A page is never sent anywhere: the search index, the fonts and the scripts come with the site.
  themeConfig: {
    search: {
      provider: "local",
      // The guide before the reference.
      options: {
        miniSearch: {
          searchOptions: { boostDocument: (page: string) => (page.startsWith("/reference/") ? 0.3 : 1) },
        },
      },
    },
    outline: [2, 3],
    nav: [
      { text: "Guide", link: "/" },
      { text: "Wire format", link: "/wire" },
      { text: "Reference", link: "/reference/" },
    ],
    sidebar: menu,
    socialLinks: [{ icon: "github", link: repository }],
  },
};

export default config;
