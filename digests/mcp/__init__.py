"""The stored news for an agent, over MCP, the Model Context Protocol."""
