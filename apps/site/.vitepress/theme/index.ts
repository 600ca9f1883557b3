import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import "./wide.css";

const theme: Theme = DefaultTheme;

export default theme;
