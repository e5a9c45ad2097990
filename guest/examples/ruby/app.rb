# A function in Ruby: the script is a file that the version carries beside the interpreter (docs/languages.md).

name = ENV["QUERY_STRING"].to_s[/\Aname=(.+)/, 1] || "world"

print "Content-Type: text/plain; charset=utf-8\n\nHello, #{name}!"
