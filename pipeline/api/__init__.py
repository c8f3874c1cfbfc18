"""The verbs as a program calls them; `import latentloom` hands them on."""
